"""Methods of the fusion problem, one module each."""
