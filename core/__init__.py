"""The engine: knows no terminal, importable alone."""
