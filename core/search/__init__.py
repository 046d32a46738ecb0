"""Search: pictures by words, by pictures, or by both."""
