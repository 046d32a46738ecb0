"""Drawing pictures in a terminal."""
