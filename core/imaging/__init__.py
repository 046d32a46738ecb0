"""Pictures: reading, decoding, orienting, hashing and thumbnails."""
