"""The neuromorphic core as gates: it does what its RTL does, and no register lost its name."""

import re
from pathlib import Path

import pytest

from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.params import CoreParams
from spikewatt.synth.asic import MappingOptions, synthesise
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from spikewatt.synth.verilog import export
from tests.synth.side_by_side import differences, powered_up, simulate, states

BUILT_IN = default_library_path()
SMALL = CoreParams(
    neurons=40,
    axons=8,
    lanes=1,
    weight_bits=4,
    state_bits=8,
    bias_bits=4,
    delay_slots=2,
    scheduler_bits=8,
)
"""More than 32 groups: the walker's bits stay a memory, which a waveform does not show."""


def filled(verilog: str) -> str:
    """Memories start with some contents: nothing then depends on how ``x`` goes through gates."""
    fill = (
        r"\1 integer fill_; initial for (fill_ = 0; fill_ <= \3; fill_ = fill_ + 1) "
        r"\2[fill_] = fill_ * 40503 + 7;"
    )
    memory = r"^(  reg \[\d+:0\] (\S+) \[(\d+):0\];)$"
    text, count = re.subn(memory, fill, verilog, flags=re.MULTILINE)
    assert count > 3
    return text


@pytest.mark.parametrize(
    "gating", [True, pytest.param(False, marks=pytest.mark.long)], ids=["gated", "plain"]
)
def test_gates_equal_rtl(gating: bool, tmp_path: Path) -> None:
    core = NeuroCore(SMALL)
    result = synthesise(
        export(core, "neuro"), "neuro", BUILT_IN, MappingOptions(clock_gating=gating)
    )
    library = read_liberty(BUILT_IN)
    netlist = read_netlist(result.netlist, library)
    models = powered_up(verilog_models(library, result.types), "0")
    for name, text in (
        ("rtl.v", filled(export(core, "neuro", dialect="assigns"))),
        ("netlist.v", result.verilog.read_text()),
        ("memories.v", filled(result.simulation[1].read_text())),
        ("cells.v", models),
    ):
        (tmp_path / name).write_text(text)
    rtl = simulate(netlist, [tmp_path / "rtl.v"], tmp_path / "rtl", steps=400)
    sources = [tmp_path / f"{name}.v" for name in ("netlist", "memories", "cells")]
    gates = simulate(netlist, sources, tmp_path / "gates", steps=400)
    registers = dict(states(netlist, library))
    assert [flop for flop, names in registers.items() if not any(n in rtl for n in names)] == []
    compared, wrong = differences(netlist, registers, rtl, gates)
    assert wrong == []
    assert compared > 500_000


def test_counts() -> None:
    text = export(NeuroCore(SMALL), "neuro")
    gated = synthesise(text, "neuro", BUILT_IN)
    plain = synthesise(text, "neuro", BUILT_IN, MappingOptions(clock_gating=False))
    assert gated.flip_flops == plain.flip_flops
    assert gated.gated_flip_flops > 0.8 * gated.flip_flops
    assert gated.clock_gates < 0.1 * gated.flip_flops
    assert plain.gated_flip_flops == plain.clock_gates == 0
    assert gated.area < plain.area
    assert (
        gated.memory_bits
        == plain.memory_bits
        > sum(table.rows * table.bits for table in SMALL.tables.values())
    )
    assert {"clock_gate", "logic", "logic.neurons", "logic.synapses"} <= set(gated.modules)
    assert sum(gated.types.values()) == gated.cells
