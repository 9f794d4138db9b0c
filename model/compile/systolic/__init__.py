"""Mapping, golden model and costs of the systolic core."""
