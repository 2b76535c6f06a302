"""Its place puts this folder on the path, so that tests of every folder can import `synthetic`."""
