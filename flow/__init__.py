"""The command line and the runs behind it."""
