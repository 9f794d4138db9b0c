"""FST: the indices of buses, which pywellen does not tell, come from the file's declarations."""

from pathlib import Path

import pytest

from spikewatt.base.errors import WaveformError
from spikewatt.energy.activity import fst, waveform
from spikewatt.energy.activity.naming import Buses, Names
from spikewatt.energy.activity.waveform import Waveform, open_waveform
from tests.energy.random_waves import settled
from tests.energy.small_waves import icarus

BITS = {"a": 4, "b": 4, "c": 11, "e": 2, "g": 6}
VERILOG = r"""`timescale 1ns/1ps
module dut(input clk, input [3:0] d);
wire \a[0] , \a[1] , \a[2] , \a[3] ; wire \b[3] , \b[2] , \b[1] , \b[0] ;
wire \c[0] , \c[10] , \c[1] , \c[2] ; wire \e[1] , x1, \e[0] ; reg \g[5] , \g[4] ;
wire [7:4] h; wire [-1:-4] n; wire [0:3] up; real r; event done; parameter p = 3;
reg [3:0] m [0:1]; reg one [0:1];
assign {\a[3] , \a[2] , \a[1] , \a[0] } = d; assign {\b[3] , \b[2] , \b[1] , \b[0] } = ~d;
assign {\c[10] , \c[2] , \c[1] , \c[0] } = d + 1; assign {\e[1] , \e[0] , x1} = d * 3;
assign h = d + 5; assign n = d + 6; assign up = d + 7;
always @(posedge clk) begin \g[5] <= d[2]; \g[4] <= d[0]; m[d[0]] <= d; one[d[1]] <= d[3];
  r = r + 1; -> done; end
initial r = 0;
endmodule
module tb; reg clk = 0; reg [3:0] d = 0; dut dut(clk, d); always #5 clk = !clk;
always @(negedge clk) d <= d + 3;
initial begin $dumpfile("wave.out"); $dumpvars(0, tb); $dumpvars(0, dut.m[0], dut.m[1]);
  $dumpvars(0, dut.one[0], dut.one[1]); #300 $finish; end
endmodule
"""
NETS = [f"{bus}[{bit}]" for bus in "abe" for bit in range(BITS[bus])]
NETS += ["c[0]", "c[1]", "c[2]", "c[10]", "g[4]", "g[5]", "x1", "m[1][3]", "m[0][0]", "one[1]"]
NETS += [f"h[{bit}]" for bit in range(4, 8)] + [f"n[{bit}]" for bit in range(-4, 0)]
NETS += [f"up[{bit}]" for bit in range(4)]
ENDS = {"h": (4, 7), "n": (-4, -1), "up": (0, 3), "m[0]": (0, 3), "m[1]": (0, 3), "one": (0, 1)}
BUSES = Buses({**{bus: (0, width - 1) for bus, width in BITS.items()}, **ENDS}, frozenset({"up"}))


def histories(wave: Waveform) -> dict[str, list[tuple[int, str]]]:
    """What each net does."""
    names, out = Names(wave, "tb.dut", BUSES), {}
    for net in NETS:
        bit = names.bit(net)
        assert bit is not None, net
        changes = wave.changes(bit.signal)
        values = changes.values[:, 0] >> bit.bit & 1
        vague = 0 * values if changes.unknown is None else changes.unknown[:, 0] >> bit.bit & 1
        digits = [
            "x" if x else str(v) for x, v in zip(vague.tolist(), values.tolist(), strict=True)
        ]
        out[net] = settled(list(zip(changes.times.tolist(), digits, strict=True)))
    return out


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bits")
    return {form: icarus(VERILOG, folder / form, form) for form in ("vcd", "fst")}


def test_bits_are_those_of_the_vcd(files: dict[str, Path]) -> None:
    """Bits in any order, of which pywellen makes some a bus; all kinds of ranges."""
    wanted = histories(open_waveform(files["vcd"]))
    assert histories(open_waveform(files["fst"])) == wanted
    assert len({tuple(history) for history in wanted.values()}) > 15
    wave = open_waveform(files["fst"])
    assert not {"tb.dut.r", "tb.dut.done", "tb.dut.p"} & wave.signals.keys()
    assert wave.signals["tb.dut.n"].ends == (-1, -4)


def test_names_without_indices_have_to_do_where_the_declarations_are_of_another_form(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = fst.declared(files["fst"])
    assert told is not None
    for wrong in (None, told[:-1], told[1:], [*reversed(told)]):
        monkeypatch.setattr(waveform, "declared", lambda _, wrong=wrong: wrong)
        wave = open_waveform(files["fst"])
        assert wave.signals["tb.dut.n"].ends is None
        assert wave.signals["tb.dut.n"].width == 4


def test_times_that_are_too_late(files: dict[str, Path], tmp_path: Path) -> None:
    """The header begins with the first and the last time."""
    data, path = bytearray(files["fst"].read_bytes()), tmp_path / "a.fst"
    data[17] = 0x80
    path.write_bytes(data)
    with pytest.raises(WaveformError) as caught:
        _ = open_waveform(path).span
    assert str(caught.value) == f"{path} has a time beyond 2^63 ticks: write it again"


def test_lz4() -> None:
    """By hand: literals, what is copied from before and from itself, long lengths."""
    assert fst._unpack(b"\x30abc", 3) == b"abc"
    assert fst._unpack(b"\x32abc\x03\x00\x10x", 10) == b"abcabcabcx"
    assert fst._unpack(b"\x1fa\x01\x00\xff\x02\x10z", 1 + 15 + 255 + 2 + 4 + 1) == b"a" * 277 + b"z"
    assert fst._unpack(b"\xf0\x01" + bytes(range(16)), 16) == bytes(range(16))
    for data, size in ((b"\x32abc\x04\x00\x10x", 10), (b"\x30abc", 4), (b"\x12a\x01\x00", 3)):
        with pytest.raises(ValueError, match="not LZ4"):
            fst._unpack(data, size)
