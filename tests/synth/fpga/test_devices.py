"""Names of FPGAs, and what is said of others."""

from pathlib import Path
from typing import Any

import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.synth.fpga.devices import DEVICES, Device, find_device
from spikewatt.synth.fpga.flow import map_fpga
from spikewatt.synth.fpga.tools import NEXTPNR_ECP5, NEXTPNR_ICE40
from tests.synth.fpga.small_design import DESIGN


def test_defaults() -> None:
    assert find_device("ecp5") == Device(family="ecp5", name="25k", package="CABGA381", speed="6")
    assert find_device("ice40") == Device(family="ice40", name="up5k", package="sg48", speed=None)
    assert find_device("ice40", "HX8K").package == "ct256"
    assert find_device("ecp5", "85K", "cabga756", "8").package == "CABGA756"


def test_what_nextpnr_is_told() -> None:
    assert find_device("ecp5", "45k").words == ["--45k", "--package", "CABGA381", "--speed", "6"]
    assert find_device("ice40").words == ["--up5k", "--package", "sg48"]


def test_targets() -> None:
    names = {"25k": 80.0, "up5k": 18.0, "hx8k": 40.0, "lp1k": 25.0}
    for name, mhz in names.items():
        family = "ecp5" if name == "25k" else "ice40"
        assert find_device(family, name).target_mhz == mhz


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ecp5", "24k"), "--device of ecp5 must be one of 25k, 12k, 45k, 85k, not '24k'"),
        (("ecp5", "up5k"), "--device of ecp5 must be one of 25k, 12k, 45k, 85k, not 'up5k'"),
        (("ice40", "up5k", "ct256"), "--package of up5k must be one of sg48, uwg30, not 'ct256'"),
        (("ecp5", None, None, "9"), "--speed must be one of 6, 7, 8, not '9'"),
        (
            ("ice40", None, None, "6"),
            "--speed is for ecp5: an iCE40's speed is part of its name (hx8k)",
        ),
    ],
)
def test_unknown_ones(words: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ParameterError) as error:
        find_device(*words)
    assert str(error.value) == message


@pytest.mark.long
@pytest.mark.parametrize(
    ("family", "name"), [(family, name) for family, names in DEVICES.items() for name in names]
)
def test_nextpnr_knows_every_package(family: str, name: str, tmp_path: Path) -> None:
    assert family in ("ecp5", "ice40")
    mapped = map_fpga(DESIGN, "small", find_device(family, name))
    (tmp_path / "netlist.json").write_text((mapped / "netlist.json").read_text())
    tool = NEXTPNR_ECP5 if family == "ecp5" else NEXTPNR_ICE40
    for package in DEVICES[family][name]:
        for speed in "678" if family == "ecp5" else [None]:
            device = find_device(family, name, package, speed)
            tool.run([*device.words, "--json", "netlist.json", "--pack-only"], tmp_path)
