"""Memories of the cores on FPGAs: block RAM, every one; and what tells where they are."""

import re
from dataclasses import replace

import pytest

from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.params import CoreParams, Fabric, MeshParams
from spikewatt.model.params.systolic import SystolicParams
from spikewatt.synth.fpga.devices import Family, find_device
from spikewatt.synth.fpga.memories import Place, place_memories
from spikewatt.synth.verilog import export
from tests.cosim.netlists import NEURO, mesh_params, neuro_params, systolic_params, verilog

NEURO_MEMORIES = {
    "fanout.entries",
    "fanout.lists",
    "neurons.params",
    "neurons.state",
    "scheduler.slots",
    "synapses",
    "walker",
    "worklist.list",
    "worklist.rows",
}
SYSTOLIC_MEMORIES = {"accumulator", "loader", *(f"streamer.buffer.bank_{k}" for k in range(2))}


def short(name: str) -> str:
    """Without what every name has, and without the place of a block beside others."""
    return re.sub(r"\.(?:logic|sram|array|bits|block_\d+_\d+)\b|^logic\.", "", name)


def expected(params: CoreParams | SystolicParams | MeshParams) -> set[str]:
    match params:
        case CoreParams():
            return NEURO_MEMORIES
        case SystolicParams():
            return SYSTOLIC_MEMORIES
        case MeshParams():
            tiles = ("tile_0_0", "tile_1_0")
            return {f"{tile}.core.{name}" for tile in tiles for name in NEURO_MEMORIES}


def params_of(design: str, family: Family) -> CoreParams | SystolicParams | MeshParams:
    match design:
        case "neuro":
            return neuro_params(NEURO[0], family)
        case "mesh":
            return mesh_params(family)
        case _:
            return systolic_params()


@pytest.mark.parametrize(
    ("design", "family"),
    [
        ("neuro", "ecp5"),
        ("neuro", "ice40"),
        ("systolic", "ecp5"),
        pytest.param("systolic", "ice40", marks=pytest.mark.long),
        pytest.param("mesh", "ecp5", marks=pytest.mark.long),
        pytest.param("mesh", "ice40", marks=pytest.mark.long),
    ],
)
def test_every_memory_is_in_block_ram(design: str, family: Family) -> None:
    """However small: a memory in logic costs look-up tables and flip-flops by the hundred."""
    params = params_of(design, family)
    placed = place_memories(*verilog(params), find_device(family))
    assert {short(memory.name) for memory in placed} == expected(params)
    assert len({memory.name for memory in placed}) == len(placed)
    for memory in placed:
        single = family == "ice40" and short(memory.name).endswith("synapses")
        assert memory.place is (Place.SINGLE_PORT if single else Place.BLOCK), memory
        assert memory.cells > 0, memory


@pytest.mark.long
def test_the_core_of_an_asic_is_another_matter() -> None:
    """There the awake bits are written one by one: no block RAM can do that, and it is seen."""
    params = replace(neuro_params(NEURO[0], "ecp5"), fabric=Fabric.ASIC)
    text = export(NeuroCore(params), "neuro")
    placed = place_memories(text, "neuro", find_device("ecp5"))
    where = {short(memory.name): memory.place for memory in placed}
    assert where.keys() == NEURO_MEMORIES
    assert where["walker"] is Place.REGISTERS
    assert where["synapses"] is Place.BLOCK


TEXT = """
module top(input clk, input we, input [11:0] row, input [3:0] d, output reg [3:0] q, output s);
  (* ram_style = "{style}" *) reg [3:0] one [0:{last}];
  reg [3:0] two [0:3];
  always @(posedge clk) begin
    if (we) one[row] <= d;
    q <= one[row];
    if (we) two[row[1:0]][d[1:0]] <= d[2];
  end
  assign s = two[row[3:2]][row[1:0]];
  {instance}
endmodule
"""
SPRAM = (
    "(* keep *) SB_SPRAM256KA named(.CLOCK(clk), .ADDRESS({2'b0, row}), .DATAIN({4{d}}), "
    ".MASKWREN(d), .WREN(we), .CHIPSELECT(1'b1), .STANDBY(1'b0), .SLEEP(1'b0), .POWEROFF(1'b1));"
)


@pytest.mark.parametrize(
    ("style", "last", "instance", "family", "places"),
    [
        ("block", 1023, "", "ecp5", {"one": ("block RAM", 1)}),
        ("distributed", 63, "", "ecp5", {"one": ("look-up tables", 4)}),
        ("logic", 7, "", "ecp5", {"one": ("flip-flops", 0)}),
        ("block", 4095, SPRAM, "ice40", {"one": ("block RAM", 4), "named": ("single-port RAM", 1)}),
    ],
)
def test_what_tells(
    style: str, last: int, instance: str, family: Family, places: dict[str, tuple[str, int]]
) -> None:
    text = TEXT.format(style=style, last=last, instance=instance)
    found = place_memories(text, "top", find_device(family))
    where = {memory.name: (str(memory.place), memory.cells) for memory in found}
    assert where.pop("two") == ("flip-flops", 0)
    assert where == places
    assert {(m.name, m.rows, m.bits) for m in found} >= {("one", last + 1, 4), ("two", 4, 4)}
