"""The terminal app and the `shoebox` command."""
