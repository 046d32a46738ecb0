"""Long work: a worker process a project, the queue it works through, and its clients."""
