"""From RTL to what tools read."""
