"""Where the floors meet: every kind of hardware that a network can run on."""
