"""Methods that segment blurred cells, one file each."""
