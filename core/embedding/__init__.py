"""Embedding: decode -> batch -> encode -> store, with progress as data."""
