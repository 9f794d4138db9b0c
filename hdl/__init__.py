"""Amaranth hardware."""
