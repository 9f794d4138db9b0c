"""A design on an FPGA: what it takes, how fast it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from msgspec import UNSET, UnsetType

from spikewatt.base.report import Report, Reported
from spikewatt.synth.fpga.devices import Device, Family
from spikewatt.synth.fpga.path import FpgaTiming, Hop
from spikewatt.synth.fpga.usage import Usage

__all__ = ["FpgaReport", "FpgaResult", "Work"]


@dataclass(frozen=True)
class Work:
    """What a core does at best in a cycle: ``sop``, synaptic operations, or ``mac``."""

    unit: Literal["sop", "mac"]
    per_cycle: int


@dataclass(frozen=True, kw_only=True)
class FpgaReport(Report):
    """Figures of a placed design, as ``report.json`` and ``--json`` have them.

    `spikewatt.synth.fpga.usage.Usage` and `FpgaResult` describe them. Of ``sop_per_second`` and
    ``mac_per_second`` there is the one that the core does; a design that is no core has neither.
    """

    family: Family
    device: str
    package: str
    speed: str | None
    top: str
    core: str | None
    lut4: int
    lut4_logic: int
    lut4_carry: int
    lut4_ram: int
    lut_cells: int
    ff: int
    bram: int
    spram: int
    dsp: int
    fmax_mhz: float | None
    target_mhz: float
    met: bool
    sop_per_second: float | UnsetType | None = UNSET
    mac_per_second: float | UnsetType | None = UNSET
    critical_path: tuple[Hop, ...]
    bitstream: Path
    folder: Path
    seconds: Mapping[str, float]
    tools: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class FpgaResult(Reported):
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

    def _rate(self, unit: Literal["sop", "mac"]) -> float | UnsetType | None:
        """Operations of a kind per second; unset where the core does others, or none."""
        return UNSET if self.work is None or self.work.unit != unit else self.per_second

    def report(self) -> FpgaReport:
        """All figures, as a report."""
        return FpgaReport(
            family=self.device.family,
            device=self.device.name,
            package=self.device.package,
            speed=self.device.speed,
            top=self.top,
            core=self.core,
            **vars(self.usage),
            fmax_mhz=self.timing.fmax_mhz,
            target_mhz=self.target_mhz,
            met=self.met,
            sop_per_second=self._rate("sop"),
            mac_per_second=self._rate("mac"),
            critical_path=self.timing.path,
            bitstream=self.bitstream,
            folder=self.folder,
            seconds=self.seconds,
            tools=self.tools,
        )
