"""Where pictures come from. Sources yield what they find; what is found is recorded by the jobs."""
