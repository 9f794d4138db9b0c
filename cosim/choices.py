"""What a simulation can be told; apart, so that a command line reads it without a simulator."""

from typing import Literal

__all__ = ["ModelTrace", "Simulator", "Trace"]

Simulator = Literal["verilator", "icarus"]
"""Simulators of the RTL."""
Trace = Literal["none", "fst", "vcd"]
"""Formats of the waveform that a simulation writes."""
ModelTrace = Literal["none", "fst", "vcd", "states"]
"""What a model of ours can record: ``states`` is a VCD of what a replay needs, and no more."""
