"""What a user chooses by a word. A command's help needs them, and must not wait for NumPy."""

from typing import Literal

__all__ = ["InputOrder", "UnknownPolicy", "View"]

InputOrder = Literal["before", "after"]
"""Whether inputs that change at the time of a clock edge do so before it or after it."""

UnknownPolicy = Literal["refuse", "hold"]
"""What becomes of X and Z within the window: an error, or the last known value."""
View = Literal["module", "category", "net", "cell"]
"""What energy is listed by."""
