"""The single-port memory: an `Sram` that is read or written, in blocks of the UltraPlus."""

import random
from pathlib import Path

import pytest
from amaranth.hdl import Module
from amaranth.sim import Simulator

from spikewatt.hdl.spram import Spram
from spikewatt.hdl.sram import Sram
from spikewatt.synth.fpga.devices import find_device
from spikewatt.synth.fpga.flow import map_fpga
from spikewatt.synth.fpga.memories import Place, PlacedMemory, place_memories
from spikewatt.synth.fpga.models import with_models
from spikewatt.synth.verilog import export
from tests.synth.fpga_memories import icarus

SIZES = {(64, 1): 4, (64, 4): 4, (63, 3): 4, (40, 5): 2, (17, 8): 2, (16, 9): 1, (30, 16): 1}
"""Rows and bits, and the rows that share a word."""
WIDE = {(9, 17): 1, (12, 40): 1, (1, 4): 4, (2, 64): 1, (3, 2): 4}
STEPS = 40


@pytest.mark.parametrize(("size", "beside"), (SIZES | WIDE).items(), ids=str)
def test_like_an_sram(size: tuple[int, int], beside: int) -> None:
    """Any reads and writes, but for both at once; what is read stays until the next of either."""
    rows, bits = size
    rng = random.Random(rows * 100 + bits)
    m = Module()
    m.submodules.sram = sram = Sram(rows=rows, bits=bits)
    m.submodules.spram = spram = Spram(rows=rows, bits=bits)
    assert (spram.bits, spram.rows_in_word) == (bits, beside)
    seen: set[tuple[int, int]] = set()

    async def drive(ctx):
        known: dict[int, int] = {}
        shown: tuple[int, int] | None = None
        for _ in range(STEPS * max(rows, 20)):
            kind, row, value = rng.choice("rwn"), rng.randrange(rows), rng.getrandbits(bits)
            for one in (sram, spram):
                ctx.set(one.read.enable, kind == "r")
                ctx.set(one.write.enable, kind == "w")
                ctx.set(one.read.row, row if kind == "r" else rng.randrange(rows))
                ctx.set(one.write.row, row if kind == "w" else rng.randrange(rows))
                ctx.set(one.write.data, value)
            await ctx.tick()
            if kind == "w":
                known[row], shown = value, None
            elif kind == "r":
                shown = (row, known[row]) if row in known else None
            if shown is not None:
                got = ctx.get(spram.read.data)
                assert got == ctx.get(sram.read.data) == shown[1], (row, kind)
                seen.add(shown)

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    assert len({row for row, _ in seen}) == rows


@pytest.mark.parametrize(
    ("size", "word", "blocks"),
    [
        ((65536, 4), (16384, 16), 1),
        ((256, 40), (256, 48), 3),
        ((16384, 12), (16384, 16), 1),
        pytest.param((32768, 16), (32768, 16), 2, marks=pytest.mark.long),
    ],
)
def test_blocks(size: tuple[int, int], word: tuple[int, int], blocks: int) -> None:
    """The synapses of 256 neurons and 256 axons with 4 bits fill one block of the chip's four."""
    rows, bits = size
    text = export(Spram(rows=rows, bits=bits), "spram")
    placed = place_memories(text, "spram", find_device("ice40", "up5k"))
    assert placed == [PlacedMemory("array", *word, Place.SINGLE_PORT, blocks)]


BENCH = """
module bench;
  reg clk = 0, rst = 0, re = 0, we = 0, hidden = 1;
  reg [15:0] row = 0;
  reg [7:0] d = 0;
  wire [4:0] q, mapped;
  rtl one (.clk(clk), .rst(rst), .read__enable(re), .read__row(row), .read__data(q),
      .write__enable(we), .write__row(row), .write__data(d));
  spram two (.clk(clk), .rst(rst), .read__enable(re), .read__row(row), .read__data(mapped),
      .write__enable(we), .write__row(row), .write__data(d));
  integer k, wrong = 0, known = 0, noise = 0;
  initial begin
    for (k = 0; k < 20000; k = k + 1) begin
      {re, we} = $random; if (we) re = 0;
      row = ($random & 31) ^ {16{k[9]}}; d = $random;
      #1 clk = 1;
      if (we) hidden = 1; else if (re) hidden = 0;
      #1;
      if (hidden) noise = noise + (^mapped === 1'bx);
      else begin wrong = wrong + (mapped !== q); known = known + (^q !== 1'bx); end
      clk = 0;
    end
    $display("%0d %0d %0d", wrong, known, noise);
  end
endmodule
"""


def test_netlist(tmp_path: Path) -> None:
    """Mapped, it does the same; behind a write it shows noise, as the chip may."""
    text = export(Spram(rows=32768, bits=5), "spram")
    folder = map_fpga(text, "spram", find_device("ice40", "up5k"))
    netlist = with_models((folder / "netlist.v").read_text(), "ice40")
    rtl = text.replace("module spram(", "module rtl(").replace("\\spram.array", "\\rtl.array")
    wrong, known, noise = map(int, icarus(netlist + rtl + BENCH, tmp_path).split())
    assert wrong == 0
    assert known > 5000
    assert noise > 5000
