"""Random input for every native function that reads a stranger's bytes; see `python -m tests.native.fuzz --help`."""
