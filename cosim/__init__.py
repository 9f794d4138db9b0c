"""Co-simulation: the RTL beside its golden model."""
