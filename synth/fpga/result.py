"""A design on an FPGA: what it takes, how fast it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from spikewatt.synth.fpga.devices import Device
from spikewatt.synth.fpga.path import FpgaTiming
from spikewatt.synth.fpga.usage import Usage

__all__ = ["FpgaResult", "Work"]


@dataclass(frozen=True)
class Work:
    """What a core does at best in a cycle: ``sop``, synaptic operations, or ``mac``."""

    unit: Literal["sop", "mac"]
    per_cycle: int


@dataclass(frozen=True, kw_only=True)
class FpgaResult:
    """A placed and routed design.

    Parameters
    ----------
    folder:
        Where the files lie: netlist.json, netlist.v, the logs, the bitstream.
    bitstream:
        The file to load into the device.
    target_mhz:
        The clock that place and route aimed at.
    work:
        What the core does in a cycle; ``None`` for a design that is no core.
    seconds:
        How long each step took when it was run.
    tools:
        Versions of the tools.
    """

    device: Device
    top: str
    usage: Usage
    timing: FpgaTiming
    target_mhz: float
    folder: Path
    bitstream: Path
    seconds: Mapping[str, float]
    tools: Mapping[str, str]
    core: str | None = None
    work: Work | None = None

    @property
    def met(self) -> bool:
        """Whether the design is as fast as it was asked to be."""
        fmax = self.timing.fmax_mhz
        return fmax is None or fmax >= self.target_mhz

    @property
    def per_second(self) -> float | None:
        """Operations per second at the highest clock."""
        fmax = self.timing.fmax_mhz
        return None if self.work is None or fmax is None else self.work.per_cycle * fmax * 1e6

    def to_json(self) -> dict[str, Any]:
        """The result as plain data."""
        rate = {} if self.work is None else {f"{self.work.unit}_per_second": self.per_second}
        return {
            "family": self.device.family,
            "device": self.device.name,
            "package": self.device.package,
            "speed": self.device.speed,
            "top": self.top,
            "core": self.core,
            **vars(self.usage),
            "fmax_mhz": self.timing.fmax_mhz,
            "target_mhz": self.target_mhz,
            "met": self.met,
            **rate,
            "critical_path": [hop.to_json() for hop in self.timing.path],
            "bitstream": str(self.bitstream),
            "folder": str(self.folder),
            "seconds": dict(self.seconds),
            "tools": dict(self.tools),
        }
