"""A million cycles in less than a gibibyte, whatever the form of the waveform."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.energy.small_library import LIBRARY
from tests.energy.small_waves import icarus

CYCLES = 1_000_000
# A counter of 16 bits that stands still in every other block of 32 cycles, gated and not.
NAMES = [f"q[{bit}]" for bit in range(16)]
CHILD = """
import json, resource, sys
from pathlib import Path
from spikewatt.energy.activity.replay import replay_waveform
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.reader import read_netlist
library = read_liberty(Path(sys.argv[1]))
netlist = read_netlist(Path(sys.argv[2]), library, top="dut")
found = replay_waveform(netlist, library, Path(sys.argv[3]), "tb.dut")
names = {name: net for net, names in enumerate(netlist.names) for name in names}
toggles = {name: int(found.totals[net]) for name, net in names.items()}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"toggles": toggles, "peak": peak, "duration": found.duration_s}))
"""


def gates() -> str:
    """Sixteen flip-flops, each fed by XOR with the carry; the carry through NAND and INV."""
    lines = ["module dut(input clk, output [15:0] q);", "wire [15:0] d; wire [16:0] c, n;"]
    lines.append("TIE t(.Y(c[0]));")
    for bit in range(16):
        lines += [
            f"XOR x{bit}(.A(q[{bit}]), .B(c[{bit}]), .Y(d[{bit}]));",
            f"NAND g{bit}(.A(q[{bit}]), .B(c[{bit}]), .Y(n[{bit}]));",
            f"INV i{bit}(.A(n[{bit}]), .Y(c[{bit + 1}]));",
            f"DFF f{bit}(.D(d[{bit}]), .CK(clk), .Q(q[{bit}]));",
        ]
    return "\n".join([*lines, "endmodule", ""])


def lines() -> Iterator[str]:
    """The counter's VCD, a clock of 10 ns."""
    yield "$timescale 1ns $end\n$scope module tb $end\n$scope module dut $end\n"
    yield "$var wire 1 ! clk $end\n$var wire 16 % q [15:0] $end\n"
    yield "$upscope $end\n$upscope $end\n$enddefinitions $end\n#0\n0!\nb0 %\n"
    for cycle in range(1, CYCLES + 1):
        yield f"#{10 * cycle - 5}\n1!\nb{cycle & 0xFFFF:b} %\n#{10 * cycle}\n0!\n"


def check(folder: Path, waveform: Path) -> None:
    (folder / "small.lib").write_text(LIBRARY)
    (folder / "gates.v").write_text(gates())
    words = [sys.executable, "-c", CHILD, "small.lib", "gates.v", str(waveform)]
    run = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["duration"] == pytest.approx(CYCLES * 10e-9, rel=1e-9, abs=0)
    toggles = found["toggles"]
    assert toggles["clk"] == 2 * CYCLES
    for bit in range(16):  # bit k changes each time that the count passes a multiple of 2ᵏ
        assert toggles[f"q[{bit}]"] == CYCLES >> bit
    assert toggles["c[16]"] == 2 * (CYCLES // 65536)
    assert found["peak"] < 1 << 20, f"{found['peak'] / 1024:.0f} MiB"


def test_a_vcd_of_a_million_cycles(tmp_path: Path) -> None:
    path = tmp_path / "long.vcd"
    with path.open("w") as file:
        file.writelines(lines())
    check(tmp_path, path)


@pytest.mark.long
def test_an_fst_of_a_million_cycles(tmp_path: Path) -> None:
    text = f"""`timescale 1ns/1ns
module dut(input clk, output reg [15:0] q); initial q = 0; always @(posedge clk) q <= q + 1;
endmodule
module tb; reg clk; wire [15:0] q; dut dut(clk, q); initial begin
$dumpfile("wave.out"); $dumpvars(0, dut); clk = 0;
repeat ({2 * CYCLES}) #5 clk = !clk; $finish; end endmodule
"""
    check(tmp_path, icarus(text, tmp_path / "run", "fst"))
