"""When a layer of the spiking pair fires; apart, so that a command line reads it without NumPy."""

from typing import Literal

__all__ = ["Mode"]

Mode = Literal["window", "every-tick"]
