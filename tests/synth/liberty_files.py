"""Libraries of others that tests read where they are to be had."""

import os
from pathlib import Path
from typing import Any, TypeVar

import pytest

__all__ = ["known", "near", "osu", "sky130"]

T = TypeVar("T")
_QFLOW = Path("/usr/share/qflow/tech")


def osu(node: str) -> Path:
    """OSU's library of ``018`` or ``035``; skips where Debian's package is missing."""
    path = _QFLOW / f"osu{node}" / f"osu{node}_stdcells.lib"
    if not path.exists():
        pytest.skip(f"{path} is missing: apt-get install qflow-tech-osu{node}")
    return path


def sky130() -> Path:
    """SkyWater's high-density library, typical corner; skips where it isn't given."""
    name = os.environ.get("SPIKEWATT_SKY130")
    if not name:
        pytest.skip("SPIKEWATT_SKY130 is not set: let it name sky130_fd_sc_hd__tt_025C_1v80.lib")
    return Path(name)


def known(value: T | None) -> T:
    """``value``, which must be there."""
    assert value is not None
    return value


def near(value: Any, rel: float = 1e-6) -> Any:
    """``value`` within ``rel``; pytest's own margin of 1e-12 would pass any farad or joule."""
    return pytest.approx(value, rel=rel, abs=0)
