"""The built-in technology: a 45 nm-class cell library derived from a few published figures."""
