"""Liberty libraries: what a cell computes, loads, takes and leaks. See ``library``."""
