"""Place, route and pack: from a mapped netlist to a bitstream."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spikewatt.base.cache import cached
from spikewatt.base.errors import CapacityError
from spikewatt.base.pip_tools import PipTool
from spikewatt.base.progress import Progress
from spikewatt.synth.fpga.devices import Device, Family
from spikewatt.synth.fpga.steps import keep_seconds
from spikewatt.synth.fpga.tools import ECPPACK, ICEPACK, NEXTPNR_ECP5, NEXTPNR_ICE40
from spikewatt.synth.fpga.usage import too_large

__all__ = ["PlaceOptions", "bitstream_name", "place_tools", "placed"]

_PLACED = "placed.txt"
_PINS = "pins.txt"


@dataclass(frozen=True)
class _Backend:
    """What a family's tools are called, and how they want to be told the same."""

    placer: PipTool
    packer: PipTool
    suffix: str
    output: str
    pins: str
    loops: tuple[str, ...]
    packing: Callable[[str], list[str]]


_BACKENDS: dict[Family, _Backend] = {
    "ecp5": _Backend(
        placer=NEXTPNR_ECP5,
        packer=ECPPACK,
        suffix=".bit",
        output="--textcfg",
        pins="--lpf",
        loops=("--ignore-loops", "--no-promote-globals"),
        packing=lambda bits: ["--compress", "--input", _PLACED, "--bit", bits],
    ),
    "ice40": _Backend(
        placer=NEXTPNR_ICE40,
        packer=ICEPACK,
        suffix=".bin",
        output="--asc",
        pins="--pcf",
        loops=("--ignore-loops",),
        packing=lambda bits: [_PLACED, bits],
    ),
}


def place_tools(family: Family) -> tuple[PipTool, PipTool]:
    """What places and routes, and what packs."""
    backend = _BACKENDS[family]
    return backend.placer, backend.packer


def bitstream_name(name: str, family: Family) -> str:
    """File name of a bitstream."""
    return name + _BACKENDS[family].suffix


@dataclass(frozen=True, kw_only=True)
class PlaceOptions:
    """How a design is placed and routed.

    Parameters
    ----------
    constraints:
        Pins, as an LPF file (ECP5) or a PCF file (iCE40); ports without one go to free pins.
    freq:
        Clock to aim at, MHz; by default what our cores are made for. Missing it is no error.
    seed:
        Of the placement.
    """

    constraints: str = ""
    freq: float | None = None
    seed: int = 1

    def aim(self, device: Device) -> float:
        """Clock to aim at, MHz."""
        return device.target_mhz if self.freq is None else self.freq


def placed(
    netlist: str,
    top: str,
    device: Device,
    options: PlaceOptions,
    *,
    clockless: bool,
    progress: Progress,
) -> Path:
    """Folder with the placed design: report.json, the logs, and the bitstream ``design``.

    Parameters
    ----------
    netlist:
        The mapped design, as yosys's ``write_json`` writes it.
    clockless:
        It has loops of logic on purpose, and nets that are clocks of a few flip-flops.

    Raises
    ------
    CapacityError
        It does not fit; says what there is too much of.
    ToolError
        A tool is missing, or fails.
    """
    backend = _BACKENDS[device.family]
    words = [*device.words, "--json", "netlist.json", "--top", top, "--report", "report.json"]
    words += [
        "--freq",
        f"{options.aim(device):g}",
        "--seed",
        str(options.seed),
        "--timing-allow-fail",
    ]
    words += [backend.output, _PLACED, f"{backend.pins}-allow-unconstrained"]
    words += [backend.pins, _PINS] if options.constraints else []
    # Without these nextpnr refuses the loops of Click elements, and takes a click for a global
    # clock.
    words += backend.loops if clockless else []
    packing = backend.packing(bitstream_name("design", device.family))

    def explain(log: str) -> CapacityError | None:
        message = too_large(log, top, device)
        return CapacityError(message) if message else None

    def build(folder: Path) -> None:
        start = time.monotonic()
        (folder / "netlist.json").write_text(netlist)
        (folder / _PINS).write_text(options.constraints)
        what = f"placing and routing on {device.name}"
        backend.placer.run(
            words, folder, what=what, progress=progress, log="nextpnr.log", explain=explain
        )
        routed = time.monotonic()
        what = "packing the bitstream"
        backend.packer.run(packing, folder, what=what, progress=progress, log="pack.log")
        (folder / "netlist.json").unlink()  # it is kept where it was made
        keep_seconds(folder, {"nextpnr": routed - start, "pack": time.monotonic() - routed})

    tools = {tool.name: tool.version for tool in place_tools(device.family)}
    content = [*words, *packing, options.constraints, netlist]
    return cached(f"{device.family}-place", content, build, tools=tools)
