"""The neuromorphic core."""
