"""FPGAs that the tools know, by the names that people use."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from spikewatt.base.errors import ParameterError

__all__ = ["DEVICES", "Device", "Family", "find_device"]

Family = Literal["ecp5", "ice40"]

_SPEEDS = ("6", "7", "8")  # of the LFE5U
# As nextpnr knows them.
_ECP5_SMALL = ("CABGA381", "CABGA256", "CSFBGA285", "TQFP144")
_HX1K = ("tq144", "vq100", "cb132", "cb121", "cb81", "cm121", "cm81", "cm49", "cm36", "qn84")
_HX4K = ("tq144", "cb132", "cm225", "cm121", "cm81", "bg121")
_HX8K = ("ct256", "cm225", "cm121", "cm81", "cb132", "bg121")

DEVICES: dict[Family, dict[str, tuple[str, ...]]] = {
    "ecp5": {
        "25k": _ECP5_SMALL,
        "12k": _ECP5_SMALL,
        "45k": (*_ECP5_SMALL, "CABGA554"),
        "85k": ("CABGA381", "CABGA554", "CABGA756", "CSFBGA285"),
    },
    "ice40": {
        "up5k": ("sg48", "uwg30"),
        "up3k": ("sg48", "uwg30"),
        "hx8k": _HX8K,
        "hx4k": _HX4K,
        "hx1k": _HX1K,
        "lp8k": _HX8K,
        "lp4k": _HX4K,
        "lp1k": (*_HX1K, "swg16tr"),
        "lp384": ("qn32", "cm49", "cm36"),
    },
}
"""Packages of each device; of each, the first is the default."""

_TARGET_MHZ = {"ecp5": 80.0, "up": 18.0, "hx": 40.0, "lp": 25.0}  # what our cores are made for


@dataclass(frozen=True, kw_only=True)
class Device:
    """An FPGA; `find_device` makes one.

    ``speed`` is the speed grade of an ECP5; an iCE40's is part of its name.
    """

    family: Family
    name: str
    package: str
    speed: str | None

    @property
    def ultra_plus(self) -> bool:
        """Whether it has iCE40 UltraPlus's single-port memories and multipliers."""
        return self.name.startswith("up")

    @property
    def target_mhz(self) -> float:
        """Clock that place and route aims at unless told otherwise."""
        return _TARGET_MHZ["ecp5" if self.family == "ecp5" else self.name[:2]]

    @property
    def words(self) -> list[str]:
        """What tells nextpnr."""
        grade = ["--speed", self.speed] if self.speed else []
        return [f"--{self.name}", "--package", self.package, *grade]


def find_device(
    family: Family, name: str | None = None, package: str | None = None, speed: str | None = None
) -> Device:
    """Device of a family, the default of whatever is not named.

    Raises
    ------
    ParameterError
        Lists the choices.
    """
    devices = DEVICES[family]
    name = _choose(f"--device of {family}", name, devices)
    package = _choose(f"--package of {name}", package, devices[name])
    if family == "ecp5":
        return Device(
            family=family, name=name, package=package, speed=_choose("--speed", speed, _SPEEDS)
        )
    if speed is not None:
        raise ParameterError("--speed is for ecp5: an iCE40's speed is part of its name (hx8k)")
    return Device(family=family, name=name, package=package, speed=None)


def _choose(option: str, given: str | None, choices: Iterable[str]) -> str:
    """The choice that was given in whatever case; the first one if none was."""
    # People write names of devices in any case.
    known = list(choices)
    if given is None:
        return known[0]
    for choice in known:
        if choice.lower() == given.lower():
            return choice
    raise ParameterError(f"{option} must be one of {', '.join(known)}, not {given!r}")
