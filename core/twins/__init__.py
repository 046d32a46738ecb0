"""Near-twins: pictures so alike that one of each group is enough."""
