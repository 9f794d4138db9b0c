"""Benches that run inside a simulator."""
