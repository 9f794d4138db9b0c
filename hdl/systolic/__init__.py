"""The systolic, TPU-like core."""
