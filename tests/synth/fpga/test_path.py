"""Critical paths and names, from reports written by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from spikewatt.synth.fpga.names import HOME, Names
from spikewatt.synth.fpga.path import FpgaTiming, Hop, read_timing

CLOCK = "posedge $glbnet$clk$TRELLIS_IO_IN"


def step(kind: str, delay: float, start: str, end: str, net: str | None = None) -> dict[str, Any]:
    ends = {"from": {"cell": start, "port": "A"}, "to": {"cell": end, "port": "Z"}}
    return {"type": kind, "delay": delay, **ends, **({"net": net} if net else {})}


def module(
    nets: dict[str, list[int]], cells: dict[str, tuple[str, dict[str, list[int]]]], *homes: str
) -> dict[str, Any]:
    """A mapped module; ``homes`` are the signals' names in the modules that make them."""
    return {
        "netnames": {
            name: {"bits": bits, "attributes": {HOME: "1"} if name in homes else {}}
            for name, bits in nets.items()
        },
        "cells": {name: {"type": t, "connections": ends} for name, (t, ends) in cells.items()},
    }


NETS = {
    "core.logic.neurons.read__data": [2, 3],
    "core.logic.neurons.fire_0.state": [2, 3],
    "core.logic.neurons.fire_0.spike": [4],
    "core.logic.neurons.spike_of_0": [4],
    "core.logic.neurons.fire_0.spike_LUT4_Z_A": [5],
    "core.logic.scheduler.$27": [6],
    "core.logic.fsm_state": [7],
    "entering__i__payload": [8],
    "core.logic.scheduler.event": [8],
    "leaving__o__valid": [9],
}
CELLS = {
    "core.logic.neurons.state.sram.array.0.1": ("DP16KD", {}),
    "core.logic.neurons.spike_of_0_TRELLIS_FF_Q": ("TRELLIS_FF", {"Q": [4], "DI": [5]}),
    "core.logic.scheduler.$27_TRELLIS_FF_Q_1": ("TRELLIS_FF", {"Q": [6], "DI": [5]}),
    "entering__i__payload_TRELLIS_FF_Q": ("TRELLIS_FF", {"Q": [8], "DI": [9]}),
    "leaving__o__valid_SB_DFF_Q": ("SB_DFF", {"Q": [9], "D": [7]}),
    "core.logic.product_MULT18X18D_P": ("MULT18X18D", {}),
    "core.logic.fsm_state_SB_LUT4_O": ("SB_LUT4", {"O": [7]}),
    "core.logic.a_SB_LUT4_O": ("SB_LUT4", {"O": [4]}),
    "core.logic.synapses.sram.sram.block_0_0": ("SB_SPRAM256KA", {}),
}
NAMES = Names(module(NETS, CELLS, "core.logic.neurons.spike_of_0"))


@pytest.mark.parametrize(
    ("net", "name"),
    [
        ("core.logic.neurons.read__data[1]", "neurons.fire_0.state"),  # the deepest
        ("core.logic.neurons.fire_0.spike", "neurons.spike_of_0"),  # where it is made
        ("core.logic.neurons.fire_0.spike_LUT4_Z_A", "neurons.fire_0.spike"),  # what it leads to
        ("core.logic.fsm_state_LUT4_Z_A_CCU2C_S1_COUT$CCU2_FCI_INT", "fsm_state"),
        ("core.logic.neurons.state.sram.array.0.1_DIA4_LUT4_Z", "neurons.state"),
        ("core.logic.neurons.state.sram.array.0.1_WDATA_2", "neurons.state"),
        ("core.logic.scheduler.$27", "scheduler"),
        ("core.logic.fsm_state_SB_LUT4_I3_O[2]", "fsm_state"),
        ("$glbnet$core.logic.fsm_state", "fsm_state"),
        ("core.logic.fsm_state$SB_IO_IN_$glb_clk", "fsm_state"),
        ("leaving__o__valid_SB_DFF_Q_D", "o.valid"),
        ("board.core.logic.walker.step__payload", "walker.step.payload"),
        ("$nextpnr_CCU2C_35$CIN", None),
        ("$abc$123", None),
    ],
)
def test_nets(net: str, name: str | None) -> None:
    assert NAMES.net(net) == name


@pytest.mark.parametrize(
    ("cell", "element"),
    [
        ("core.logic.neurons.state.sram.array.0.1", ("neurons.state", "memory")),
        ("core.logic.neurons.state.sram.array.0.1_RAM", ("neurons.state", "memory")),
        ("core.logic.synapses.sram.sram.block_0_0_SPRAM", ("synapses", "memory")),
        ("core.logic.neurons.spike_of_0_TRELLIS_FF_Q", ("neurons.spike_of_0", "register")),
        ("core.logic.scheduler.$27_TRELLIS_FF_Q_1", ("scheduler", "register")),
        ("entering__i__payload_TRELLIS_FF_Q", ("i.payload", "input")),
        ("leaving__o__valid_SB_DFF_Q_DFFLC", ("o.valid", "output")),
        ("core.logic.fsm_state_SB_LUT4_O_LC", ("o.valid", "output")),  # with its flip-flop
        ("core.logic.a_SB_LUT4_O_LC", None),  # without one
        ("core.logic.product_MULT18X18D_P", ("product", "multiplier")),
        ("elsewhere", None),
    ],
)
def test_elements(cell: str, element: tuple[str, str] | None) -> None:
    assert NAMES.element(cell) == element


MEMORY = "core.logic.neurons.state.sram.array.0.1"
FLIP_FLOP = "core.logic.neurons.spike_of_0_TRELLIS_FF_Q"
PATH = [
    step("clk-to-q", 5.75, MEMORY, MEMORY),
    step("routing", 1.5, MEMORY, "x_CCU2C", "core.logic.neurons.read__data[1]"),
    step("logic", 0.5, "x_CCU2C", "x_CCU2C"),
    step("routing", 0, "x_CCU2C", "y_CCU2C", "$nextpnr_CCU2C_35$CIN"),
    step("logic", 0.25, "y_CCU2C", "y_CCU2C"),
    step("routing", 1, "y_CCU2C", "z", "core.logic.neurons.fire_0.spike_LUT4_Z_A"),
    step("logic", 0.5, "z", "z"),
    step("routing", 0.25, "z", FLIP_FLOP, "core.logic.neurons.fire_0.spike_LUT4_Z_A"),
    step("setup", 0.25, FLIP_FLOP, FLIP_FLOP),
]


def write(folder: Path, fmax: dict[str, float], paths: dict[str, list[dict[str, Any]]]) -> Path:
    content = {
        "fmax": {name: {"achieved": mhz, "constraint": 80} for name, mhz in fmax.items()},
        "critical_paths": [
            {"from": name.split(" > ")[0], "to": name.split(" > ")[-1], "path": path}
            for name, path in paths.items()
        ],
    }
    (folder / "report.json").write_text(json.dumps(content))
    return folder / "report.json"


def test_a_path(tmp_path: Path) -> None:
    clocks = {CLOCK.removeprefix("posedge "): 100.0}
    found = read_timing(write(tmp_path, clocks, {CLOCK: PATH}), module(NETS, CELLS))
    assert found.fmax_mhz == 100
    assert found.path == (
        Hop("neurons.state", "memory", 5.75),
        Hop("neurons.fire_0.spike", "logic", 3.75),
        Hop("neurons.fire_0.spike", "register", 0.5),
    )
    assert sum(hop.ns for hop in found.path) == sum(one["delay"] for one in PATH) == 10


def test_the_slowest_clock_counts(tmp_path: Path) -> None:
    short = [PATH[0], *PATH[-2:]]
    paths = {"posedge a": PATH, "posedge b": short, "posedge a > posedge b": short}
    found = read_timing(write(tmp_path, {"a": 100, "b": 154}, paths), module(NETS, CELLS))
    assert found.fmax_mhz == 100
    assert len(found.path) == 3
    found = read_timing(write(tmp_path, {"a": 100, "b": 54}, paths), module(NETS, CELLS))
    assert found.fmax_mhz == 54
    assert len(found.path) == 2


def test_from_edge_to_edge(tmp_path: Path) -> None:
    report = write(tmp_path, {"a": 50}, {"posedge a > negedge a": PATH})
    assert read_timing(report, module(NETS, CELLS)).fmax_mhz == 50


def test_clicks_are_no_clocks(tmp_path: Path) -> None:
    paths = {"posedge core.router.click_clk": PATH, "posedge a": PATH}
    clocks = {"core.router.click_clk": 50.0, "a": 100.0}
    found = read_timing(write(tmp_path, clocks, paths), module(NETS, CELLS))
    assert found.fmax_mhz == 100


def test_skew_counts_where_a_path_begins(tmp_path: Path) -> None:
    skewed = [step("clk-skew", -0.25, "clock", "clock"), *PATH]
    report = write(tmp_path, {"a": 100}, {"posedge a": skewed})
    found = read_timing(report, module(NETS, CELLS))
    assert found.path[0] == Hop("neurons.state", "memory", 5.5)
    assert len(found.path) == 3


def test_no_path(tmp_path: Path) -> None:
    paths = {"<async> > posedge a": PATH, "<async>": PATH}
    assert read_timing(write(tmp_path, {}, paths), module(NETS, CELLS)) == FpgaTiming(None, ())
