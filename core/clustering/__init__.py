"""Clusters of pictures: `run.py` reads and writes the project, the other files know only arrays."""
