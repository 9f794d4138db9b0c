"""Boards: their pins, from amaranth-boards, and the clock that a core gets there."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from spikewatt.base.errors import ParameterError, ToolError
from spikewatt.synth.fpga.devices import Device, Family, find_device
from spikewatt.synth.fpga.pll import Pll, find_pll

__all__ = ["BOARDS", "Clock", "FpgaBoard", "Pin", "find_board"]

BoardName = Literal["ulx3s", "icebreaker"]

_PLATFORMS: Mapping[str, tuple[Family, str, Mapping[str, str]]] = {
    "ulx3s": (
        "ecp5",
        "amaranth_boards.ulx3s",
        {name: f"ULX3S_{name[:-1]}F_Platform" for name in ("25k", "12k", "45k", "85k")},
    ),
    "icebreaker": ("ice40", "amaranth_boards.icebreaker", {"up5k": "ICEBreakerPlatform"}),
}
"""Of each board: its family, module, and the platform for each device it comes with."""

BOARDS = tuple(_PLATFORMS)


@dataclass(frozen=True)
class Pin:
    """A pin, its electrical attributes, and whether it is active low."""

    site: str
    attributes: Mapping[str, Any]
    low: bool


@dataclass(frozen=True)
class Clock:
    """The clock of a core on a board: the crystal's own, or one that a loop makes of it."""

    crystal_mhz: float
    pll: Pll | None

    @property
    def mhz(self) -> float:
        """Its frequency."""
        return self.pll.mhz if self.pll else self.crystal_mhz


@dataclass(frozen=True, kw_only=True)
class FpgaBoard:
    """A board; ``pins`` are those of ``crystal``, ``rx``, ``tx`` and ``led``."""

    name: str
    device: Device
    crystal_mhz: float
    pins: Mapping[str, Pin]

    def clock(self, mhz: float | None) -> Clock:
        """The crystal's clock, or one of ``mhz``.

        Raises
        ------
        ParameterError
            No loop comes near.
        """
        # Without a loop there is nothing to lock, and no limit of a detector.
        if mhz is None or mhz == self.crystal_mhz:
            return Clock(self.crystal_mhz, None)
        return Clock(self.crystal_mhz, find_pll(self.device.family, self.crystal_mhz, mhz))

    @property
    def constraints(self) -> str:
        """Pins as an LPF file for an ECP5, as a PCF file for an iCE40."""
        write = _lpf if self.device.family == "ecp5" else _pcf
        lines = [line for port, pin in self.pins.items() for line in write(port, pin)]
        if self.device.family == "ecp5":
            lines.append(f'FREQUENCY PORT "crystal" {self.crystal_mhz:g} MHZ;')
        return "\n".join(lines) + "\n"


def _lpf(port: str, pin: Pin) -> list[str]:
    words = " ".join(f"{key}={value}" for key, value in pin.attributes.items())
    return [f'LOCATE COMP "{port}" SITE "{pin.site}";', f'IOBUF PORT "{port}" {words};']


def _pcf(port: str, pin: Pin) -> list[str]:
    pull_up = "-pullup yes " if pin.attributes.get("PULLUP") else ""
    return [f"set_io {pull_up}{port} {pin.site}"]


def find_board(
    family: Family,
    name: str,
    device: str | None = None,
    package: str | None = None,
    speed: str | None = None,
) -> FpgaBoard:
    """Board of a name; ``device`` is one of those that it comes with.

    Raises
    ------
    ParameterError
        Lists the choices.
    ToolError
        amaranth-boards is missing.
    """
    if name not in _PLATFORMS:
        raise ParameterError(f"--board must be one of {', '.join(BOARDS)}, not {name!r}")
    made_for, module, platforms = _PLATFORMS[name]
    if made_for != family:
        raise ParameterError(f"--board {name} has an {made_for}: --target {made_for}")
    if package is not None:
        raise ParameterError("--package goes without --board: a board has its own")
    chosen = (device or next(iter(platforms))).lower()
    if chosen not in platforms:
        raise ParameterError(
            f"--device of {name} must be one of {', '.join(platforms)}, not {device!r}"
        )
    try:
        platform = getattr(importlib.import_module(module), platforms[chosen])
    except ModuleNotFoundError:
        raise ToolError("amaranth-boards is missing: pip install 'spikewatt[fpga]'") from None
    # amaranth-boards abbreviates Lattice's names of packages.
    case = platform.package if family == "ice40" else f"CABGA{platform.package.removeprefix('BG')}"
    grade = (speed or platform.speed) if family == "ecp5" else speed
    resources = {(part.name, part.number): part for part in platform.resources}
    crystal = resources[platform.default_clk, 0]
    uart = resources["uart", 0]
    return FpgaBoard(
        name=name,
        device=find_device(family, chosen, case, grade),
        crystal_mhz=crystal.clock.frequency / 1e6,
        pins={
            "crystal": _pin(crystal),
            "rx": _pin(uart, "rx"),
            "tx": _pin(uart, "tx"),
            "led": _pin(resources["led", 0]),
        },
    )


def _pin(resource: Any, part: str | None = None) -> Pin:
    """The one pin of a resource, or of a named part of it."""
    parts = {getattr(io, "name", None): io for io in resource.ios}
    pins = parts[part].ios[0] if part else resource.ios[0]
    return Pin(pins.names[0], dict(resource.attrs), bool(pins.invert))
