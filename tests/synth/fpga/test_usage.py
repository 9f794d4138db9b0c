"""Counting what a design takes, from reports written by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from spikewatt.synth.fpga.devices import Family, find_device
from spikewatt.synth.fpga.usage import Usage, count_usage, too_large

ECP5_LOG = """\
Info: Logic utilisation before packing:
Info:     Total LUT4s:      1670/24288     6%
Info:         logic LUTs:   1208/24288     4%
Info:         carry LUTs:    222/24288     0%
Info:           RAM LUTs:    160/ 3036     5%
Info:          RAMW LUTs:     80/ 6072     1%

Info:      Total DFFs:       438/24288     1%
"""
ICE40_LOG = """\
Info: Packing LUT-FFs..
Info:     1145 LCs used as LUT4 only
Info:      217 LCs used as LUT4 and DFF
Info: Packing non-LUT FFs..
Info:      302 LCs used as DFF only
Info: Packing carries..
Info:       44 LCs used as CARRY only
"""
TOO_LARGE = """\
Info: Device utilisation:
Info: \t         ICESTORM_LC:    2235/   1280   174%
Info: \t        ICESTORM_RAM:      17/     16   106%
Info: \t               SB_IO:       3/     96     3%

ERROR: Unable to place cell 'x', no BELs remaining to implement cell type 'ICESTORM_LC'
"""


def report(folder: Path, used: dict[str, int]) -> Path:
    path = folder / "report.json"
    entries = {name: {"used": count, "available": 9999} for name, count in used.items()}
    path.write_text(json.dumps({"utilization": entries}))
    return path


def netlist(table: str, flip_flop: str) -> dict[str, Any]:
    """Three look-up tables, and four flip-flops: of a core, and of a harness's bits 1, 2 and 3."""
    cells: dict[str, Any] = {f"t{k}": {"type": table, "connections": {}} for k in range(3)}
    for bit in range(4):
        cells[f"f{bit}"] = {"type": flip_flop, "connections": {"Q": [10 + bit]}}
    nets = {
        "core.state": [10],
        "entering__i__payload": [11, 12],
        "leaving__idle": [13],
        "leaving__idle_LUT4_Z": [10],  # made up after the harness's: the core's own
        "leaving__idle_SB_DFF_Q": [10],
    }
    names = {name: {"bits": bits} for name, bits in nets.items()}
    return {"cells": cells, "netnames": names}


def test_ecp5(tmp_path: Path) -> None:
    used = {"DP16KD": 22, "MULT18X18D": 1, "TRELLIS_COMB": 1808, "TRELLIS_FF": 4}
    usage = count_usage("ecp5", netlist("LUT4", "TRELLIS_FF"), report(tmp_path, used), ECP5_LOG)
    assert usage == Usage(
        lut4=1670,
        lut4_logic=1208,
        lut4_carry=222,
        lut4_ram=240,
        lut_cells=3,
        ff=1,
        bram=22,
        spram=0,
        dsp=1,
    )


@pytest.mark.parametrize("flip_flop", ["SB_DFF", "SB_DFFESR"])
def test_ice40(flip_flop: str, tmp_path: Path) -> None:
    used = {"ICESTORM_LC": 1715, "ICESTORM_RAM": 13, "ICESTORM_SPRAM": 1, "ICESTORM_DSP": 2}
    usage = count_usage("ice40", netlist("SB_LUT4", flip_flop), report(tmp_path, used), ICE40_LOG)
    assert usage == Usage(
        lut4=1413,  # all logic cells but those of flip-flops alone
        lut4_logic=1362,
        lut4_carry=51,
        lut4_ram=0,
        lut_cells=3,
        ff=1,
        bram=13,
        spram=1,
        dsp=2,
    )


def test_what_does_not_fit() -> None:
    assert too_large(TOO_LARGE, "neuro", find_device("ice40", "lp1k")) == (
        "neuro does not fit ice40 lp1k: it takes 2,235 of 1,280 logic cells, 17 of 16 block RAMs; "
        "choose a smaller core or a larger --device"
    )


@pytest.mark.parametrize("family", ["ecp5", "ice40"])
def test_what_fits(family: Family) -> None:
    log = "Info: \t TRELLIS_COMB:   24288/  24288   100%\nERROR: something else\n"
    assert too_large(log, "neuro", find_device(family)) is None
