"""What a user chooses by a word. A command's help needs them, and must not wait for NumPy."""

from typing import Literal

__all__ = ["UnknownPolicy", "View"]

UnknownPolicy = Literal["refuse", "hold"]
"""What becomes of X and Z within the window: an error, or the last known value."""
View = Literal["module", "category", "net", "cell"]
"""What energy is listed by."""
