"""Networks, parameters, golden models and mapping: NumPy only, no hardware."""
