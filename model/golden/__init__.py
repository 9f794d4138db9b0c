"""Golden models: what every core must compute, tick by tick."""
