"""The catalog: one SQLite file that holds what is known of every picture. A file per subject."""
