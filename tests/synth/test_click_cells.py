"""Cells of clockless circuits as gates of a library and as look-up tables."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import pytest

from spikewatt.base.errors import LibraryError, NetlistError
from spikewatt.synth.asic import AsicResult, MappingOptions, synthesise
from spikewatt.synth.click import fpga_cells
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from spikewatt.synth.yosys import run_yosys

BUILT_IN = default_library_path()
LIBRARY = read_liberty(BUILT_IN)
BUFFER_PS, DRIVER_PS = 26.03, 74.9
"""Delays of BUF_X1 in a chain and of BUF_X2 before 32 flip-flops, from a look at its tables."""
DELAYS = (1, 26, 27, 52, 53, 500, 100_000)
ELEMENT = """
module element #(parameter D = 1) (input rst, req, other, ack, input [7:0] d, output reg [7:0] q,
  output reg p);
  wire late, click, g0, g1;
  click_delay #(.D(D)) matched (.a(req), .y(late));
  click_mutex #(.D(40)) mutex (.r0(late ^ p), .r1(other), .g0(g0), .g1(g1));
  click_fire #(.D(D)) buffer (.a(g0 & ~(ack ^ p)), .y(click));
  always @(posedge click or posedge rst) if (rst) p <= 0; else p <= ~p;
  always @(posedge click) if (g1) q <= d;
endmodule
"""
TOP = """
module top (input clk, en, rst, req, other, ack, input [7:0] d, output [7:0] q, output p,
  output reg [7:0] r);
  element #(.D(DELAY)) e (.rst(rst), .req(req), .other(other), .ack(ack), .d(d), .q(q), .p(p));
  always @(posedge clk) if (en) r <= d;
endmodule
"""
BELOW = """
module top (input a, en, input [7:0] d, output [7:0] q);
  wire click;
  click_fire buffer (.a(a), .y(click));
  below b (.click(click), .en(en), .d(d), .q(q));
endmodule
module below (input click, en, input [7:0] d, output reg [7:0] q);
  always @(posedge click) if (en) q <= d;
endmodule
"""


def mapped(delay: int = 100) -> AsicResult:
    return synthesise(ELEMENT + TOP.replace("DELAY", str(delay)), "top", BUILT_IN)


def netlist_of(result: AsicResult, form: str = "json") -> Netlist:
    return read_netlist(result.netlist if form == "json" else result.verilog, LIBRARY, top="top")


@pytest.mark.parametrize("delay", DELAYS)
def test_chains_are_as_long_as_their_delay(delay: int) -> None:
    gates = Counter((one.module, one.type) for one in netlist_of(mapped(delay)).instances)
    chain = gates["e.matched", "BUF_X1"]
    assert chain == max(1, -(-delay // BUFFER_PS))
    assert gates["e.buffer", "BUF_X1"] == max(0, -(-(delay - DRIVER_PS) // BUFFER_PS))
    assert gates["e.buffer", "BUF_X2"] == 1
    assert sum(count for (module, _), count in gates.items() if module == "e.matched") == chain


@pytest.mark.parametrize("form", ["json", "verilog"])
def test_what_is_recorded(form: str) -> None:
    netlist = netlist_of(mapped(), form)
    found = {name: kind for net, kind in netlist.recorded.items() for name in netlist.names[net]}
    ends = {"e.matched.y": "delay", "e.buffer.y": "fire", "e.mutex.x": "mutex"}
    assert {name: found.get(name) for name in ends} == ends
    assert found["e.click"] == "fire"
    assert Counter(netlist.recorded.values()) == {"delay": 1, "fire": 1, "mutex": 2}


def test_mutual_exclusion_is_two_crossed_gates() -> None:
    netlist = netlist_of(mapped())
    at = {name: net for net, names in enumerate(netlist.names) for name in names}
    mutex = {one.name: one for one in netlist.instances if one.module == "e.mutex"}
    first, second = mutex["e.mutex.first"], mutex["e.mutex.second"]
    assert (first.type, second.type) == ("NAND2_X1", "NAND2_X1")
    x, y = at["e.mutex.x"], at["e.mutex.y"]
    assert set(first.pins.values()) == {at["e.mutex.r0"], y, x}
    assert set(second.pins.values()) == {at["e.mutex.r1"], x, y}
    assert (first.pins["ZN"], second.pins["ZN"]) == (x, y)


def test_a_click_is_not_gated() -> None:
    result = mapped()
    assert (result.flip_flops, result.gated_flip_flops, result.clock_gates) == (17, 8, 1)
    netlist = netlist_of(result)
    click = next(net for net, kind in netlist.recorded.items() if kind == "fire")
    assert sum(click in one.pins.values() for one in netlist.instances) == 1 + 9


def test_a_click_that_would_be_gated_is_refused() -> None:
    message = r"clock gate \S+ stops a click, which is no clock: keep the flip-flops that have an "
    with pytest.raises(NetlistError, match=message + "enable in the module of their click_fire$"):
        synthesise(BELOW, "top", BUILT_IN)


def test_what_the_library_lacks() -> None:
    message = (
        "library spikewatt45 has no NAND gate, which the cells of clockless circuits are made of: "
        "take a library that has, or the built-in one"
    )
    with pytest.raises(LibraryError, match=re.escape(message)):
        synthesise(ELEMENT, "element", BUILT_IN, MappingOptions(dont_use=["NAND2*"]))


def test_other_designs_are_mapped_as_ever() -> None:
    """Nothing of the cells is in the script, and cells that a design defines are its own."""
    own = "module click_fire (input a, output y); assign y = ~a; endmodule\n"
    plain = "module top (input a, output y); assign y = ~a; endmodule\n"
    held = "module top (input a, output y); click_fire f (.a(a), .y(y)); endmodule\n"
    for text in (plain, own + held):
        result = synthesise(text, "top", BUILT_IN)
        assert result.types == {"INV_X1": 1}
        assert not (result.netlist.parent / "click-cells.v").exists()
        script = (result.netlist.parent / "script.ys").read_text()
        assert "click" not in script.replace("read_verilog design.v", "")


def lookup_tables(family: Literal["ecp5", "ice40"], delay: int, folder: Path) -> dict[str, Any]:
    (folder / "cells.v").write_text(fpga_cells(family))
    (folder / "design.v").write_text(ELEMENT + TOP.replace("DELAY", str(delay)))
    reading = "read_verilog cells.v\nread_verilog design.v\n"
    run_yosys(f"{reading}synth_{family} -top top\nwrite_json out.json\n", folder)
    return json.loads((folder / "out.json").read_text())["modules"]["top"]["cells"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "delay", [1, 101, *(pytest.param(delay, marks=pytest.mark.long) for delay in (100, 950))]
)
@pytest.mark.parametrize("family", ["ecp5", "ice40"])
def test_look_up_tables_stay(family: Literal["ecp5", "ice40"], delay: int, tmp_path: Path) -> None:
    cells = lookup_tables(family, delay, tmp_path)
    table = {"ecp5": "LUT4", "ice40": "SB_LUT4"}[family]
    content = {"ecp5": "INIT", "ice40": "LUT_INIT"}[family]
    steps = Counter(
        name.partition(".step[")[0]
        for name, cell in cells.items()
        if cell["type"] == table and name.endswith(".gate")
    )
    assert steps == dict.fromkeys(("e.matched", "e.buffer.chain"), -(-delay // 100))
    for name, truth in (("e.matched.step[0].gate", 0xAAAA), ("e.mutex.second", 0x7777)):
        assert int(cells[name]["parameters"][content], 2) == truth
    ends = {"ecp5": ("A", "B", "Z"), "ice40": ("I0", "I1", "O")}[family]
    first, second = (cells[f"e.mutex.{name}"]["connections"] for name in ("first", "second"))
    assert (first[ends[1]], second[ends[1]]) == (second[ends[2]], first[ends[2]])
