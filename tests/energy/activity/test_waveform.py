"""Waveforms: what three ways of reading say of one run, and files that are none."""

import random
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from spikewatt.base.errors import WaveformError
from spikewatt.energy.activity.activity import Activity
from spikewatt.energy.activity.replay import ReplayOptions, prepare, replay, replay_waveform
from spikewatt.energy.activity.waveform import Changes, Reader, open_waveform
from spikewatt.synth.liberty.library import Library
from tests.energy.small_damage import PAIR, A, B, outcome
from tests.energy.small_library import build, read
from tests.energy.small_waves import icarus, write_vcd

READERS: tuple[tuple[str, Reader], ...] = (
    ("vcd", "own"),
    ("vcd", "wellen"),
    ("fst", "own"),
    ("vcd", "vcdvcd"),
)
"""``own`` reads FST through pywellen."""
SHAPES = """`timescale 1ns/100ps
module inner(input clk, input [70:0] w); reg [3:0] m [0:2]; reg \\odd.name! ; reg [7:4] off;
wire [70:0] same = w; real r;
initial begin m[0] = 1; m[1] = 2; m[2] = 4'bx; r = 0.5; off = 4'ha; end
always @(posedge clk) begin
  m[0] <= m[0] + 1; m[1] <= m[1] ^ w[3:0]; off <= off + 3; \\odd.name! <= w[69];
  if (w[0]) m[2] <= w[7:4]; r = r + 1;
end endmodule
module tb; reg clk; reg [70:0] w; wire hi = 1'b1; tri z; assign z = w[1] ? 1'bz : w[2];
inner dut(.clk(clk), .w(w));
initial begin clk = 0; forever #5 clk = !clk; end
initial begin
  $dumpfile("wave.out"); $dumpvars(0, tb); $dumpvars(0, dut.m[0], dut.m[1], dut.m[2]);
  w = {71{1'b1}}; repeat (300) begin #7.3; w = {w[69:0], w[70] ^ w[5]} ^ 71'h5; end
  #2 $finish;
end endmodule
"""


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("shapes")
    return {form: icarus(SHAPES, folder / form, form) for form in ("vcd", "fst")}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return read(tmp_path_factory.mktemp("library"))


def settled(changes: Changes) -> list[tuple[int, list[int], list[int]]]:
    """Times, values and unknown bits, each unlike the one before."""
    unknown = np.zeros_like(changes.values) if changes.unknown is None else changes.unknown
    found: list[tuple[int, list[int], list[int]]] = []
    for time, value, bits in zip(
        changes.times.tolist(), changes.values.tolist(), unknown.tolist(), strict=True
    ):
        if not found or (value, bits) != found[-1][1:]:
            found.append((time, value, bits))
    return found


def test_readers_agree(shapes: dict[str, Path]) -> None:
    first, *others = (open_waveform(shapes[form], reader) for form, reader in READERS)
    assert first.tick_s == pytest.approx(1e-10, rel=1e-12, abs=0)
    names = {"tb.clk", "tb.w", "tb.hi", "tb.z", "tb.dut.w", "tb.dut.same", "tb.dut.off"}
    names |= {"tb.dut.odd.name!", "tb.dut.m[0]", "tb.dut.m[1]", "tb.dut.m[2]"}
    assert names <= set(first.signals)
    assert not first.ambiguous
    for other in others:
        assert other.tick_s == pytest.approx(first.tick_s, rel=1e-12, abs=0)
        for name in sorted(names):
            assert other.signals[name].width == first.signals[name].width, name
            found, wanted = (settled(one.changes(one.signals[name])) for one in (other, first))
            assert found == wanted, name


def test_what_was_simulated(shapes: dict[str, Path]) -> None:
    """71 bits are two words; 4'bx is unknown; a clock of 10 ns in ticks of 100 ps."""
    wave = open_waveform(shapes["fst"])
    w, value = wave.changes(wave.signals["tb.w"]), (1 << 71) - 1
    assert w.unknown is None
    assert len(w.times) == 301
    for k, words in enumerate(w.values.tolist()):
        assert words[0] | words[1] << 64 == value
        assert w.times[k] == 73 * k
        value = (value << 1 & (1 << 71) - 1 | (value >> 70 ^ value >> 5) & 1) ^ 5
    clk = wave.changes(wave.signals["tb.clk"])
    assert clk.times[:4].tolist() == [0, 50, 100, 150]
    assert clk.values[:4, 0].tolist() == [0, 1, 0, 1]
    m = wave.changes(wave.signals["tb.dut.m[2]"])
    assert m.unknown is not None
    assert (m.unknown[0, 0], m.values[0, 0]) == (15, 0)
    z = wave.changes(wave.signals["tb.z"])
    assert z.unknown is not None
    assert 0 < z.unknown.sum() < len(z.times)


# n = !(a b) falls at 10, rises at 20, falls at 30, rises at 40.
TOGGLES = {"a": 4, "b": 3, "n": 4, "y": 4}


def counted(found: Activity) -> dict[str, int]:
    return {name: int(found.totals[net]) for net, (name,) in list(enumerate(PAIR.names))[2:]}


@pytest.mark.parametrize(("form", "reader"), READERS)
def test_one_run_gives_the_same_toggles(
    library: Library, tmp_path: Path, form: str, reader: Reader
) -> None:
    inputs = "\n".join(
        f"initial begin {name} = {changes[0][1]};"
        + "".join(
            f" #{then - now} {name} = {value};" for (now, _), (then, value) in pairwise(changes)
        )
        + " end"
        for name, changes in (("a", A), ("b", B))
    )
    text = f"""`timescale 1ns/1ns
module dut(input a, b, output y); assign y = a & b; endmodule
module tb; reg a, b; wire y; dut dut(a, b, y);
{inputs}
initial begin $dumpfile("wave.out"); $dumpvars(0, tb); #60 $finish; end
endmodule
"""
    path = icarus(text, tmp_path / "run", form)
    found = replay_waveform(PAIR, library, path, "tb.dut", reader=reader)
    assert counted(found) == TOGGLES
    assert found.duration_s == pytest.approx(60e-9, rel=1e-12, abs=0)
    assert found.high_s[PAIR.names.index(("a",))] == pytest.approx(30e-9, rel=1e-12, abs=0)


@pytest.mark.parametrize("reader", ["own", "wellen", "vcdvcd"])
def test_several_changes_at_one_time_are_one(
    library: Library, tmp_path: Path, reader: Reader
) -> None:
    """The last counts: a goes 0, 1, 0 within 10 ns, which is no toggle."""
    path = write_vcd(tmp_path / "a.vcd", {"t.a": (1, A), "t.b": (1, B)}, 60)
    text = path.read_text().replace("#10\n", "#10\n1s0\n0s0\n").replace("#50\n", "#50\n0s0\n1s0\n")
    path.write_text(text)
    assert counted(replay_waveform(PAIR, library, path, "t", reader=reader)) == TOGGLES


@pytest.mark.parametrize("reader", ["own", "wellen", "vcdvcd"])
def test_a_time_that_comes_twice_or_says_nothing_new(
    library: Library, tmp_path: Path, reader: Reader
) -> None:
    path = write_vcd(tmp_path / "a.vcd", {"t.a": (1, A), "t.b": (1, B)}, 60)
    path.write_text(path.read_text().replace("#20\n", "#20\n#20\n0s1\n1s0\n#20\n"))
    assert counted(replay_waveform(PAIR, library, path, "t", reader=reader)) == TOGGLES


# --- unknown values ------------------------------------------------------------------------------


def with_unknown(tmp_path: Path, a: list[tuple[int, str]]) -> Path:
    return write_vcd(tmp_path / "x.vcd", {"tb.dut.a": (1, a), "tb.dut.b": (1, B)}, 60)


REMEDY = "begin the window after the reset (--window), or take unknown as held (--unknown hold)"


@pytest.mark.parametrize("digit", ["x", "z"])
def test_unknown_at_first_is_no_toggle(library: Library, tmp_path: Path, digit: str) -> None:
    """Before the first value a source is taken to have had it."""
    path = with_unknown(tmp_path, [(0, digit), (10, "1"), *A[2:]])
    for policy in ("refuse", "hold"):
        found = replay_waveform(PAIR, library, path, "tb.dut", ReplayOptions(unknown=policy))
        # a is 1 from the beginning: n is 0 from the beginning.
        assert counted(found) == {"a": 3, "b": 3, "n": 3, "y": 3}


@pytest.mark.parametrize("digit", ["x", "z"])
def test_unknown_later_is_refused_or_held(library: Library, tmp_path: Path, digit: str) -> None:
    path = with_unknown(tmp_path, [*A[:3], (30, digit), (35, "1"), A[4]])
    with pytest.raises(WaveformError) as caught:
        replay_waveform(PAIR, library, path, "tb.dut")
    assert str(caught.value) == f"tb.dut.a is unknown (X or Z) at 3e-08 s: {REMEDY}"
    held = replay_waveform(PAIR, library, path, "tb.dut", ReplayOptions(unknown="hold"))
    assert counted(held) == TOGGLES
    assert held.high_s[PAIR.names.index(("a",))] == pytest.approx(25e-9, rel=1e-12, abs=0)
    after = replay_waveform(PAIR, library, path, "tb.dut", ReplayOptions(window=(35e-9, 60e-9)))
    assert counted(after) == {"a": 1, "b": 1, "n": 1, "y": 1}
    with pytest.raises(WaveformError, match=r"tb\.dut\.a is unknown \(X or Z\) at 3\.2e-08 s: "):
        replay_waveform(PAIR, library, path, "tb.dut", ReplayOptions(window=(32e-9, 60e-9)))
    before = replay_waveform(PAIR, library, path, "tb.dut", ReplayOptions(window=(0, 29e-9)))
    assert counted(before) == {"a": 2, "b": 2, "n": 2, "y": 2}


def test_a_window_that_begins_in_leading_unknown_is_refused(
    library: Library, tmp_path: Path
) -> None:
    path = with_unknown(tmp_path, [(0, "x"), (30, "1"), A[4]])
    with pytest.raises(WaveformError, match=r"tb\.dut\.a is unknown \(X or Z\) at 1e-08 s: "):
        replay_waveform(PAIR, library, path, "tb.dut", ReplayOptions(window=(10e-9, 60e-9)))
    assert (
        replay_waveform(
            PAIR, library, path, "tb.dut", ReplayOptions(window=(30e-9, 60e-9))
        ).totals.sum()
        > 0
    )


def test_what_is_never_known_is_refused(library: Library, tmp_path: Path) -> None:
    path = with_unknown(tmp_path, [(0, "x")])
    with pytest.raises(WaveformError, match=r"tb\.dut\.a is unknown \(X or Z\) at 0 s: "):
        replay_waveform(PAIR, library, path, "tb.dut")
    path = with_unknown(tmp_path, [(0, "x"), (20, "z")])
    with pytest.raises(WaveformError, match=r"tb\.dut\.a is unknown \(X or Z\) at 2e-08 s: "):
        replay_waveform(PAIR, library, path, "tb.dut")


def test_each_bit_of_a_bus_is_unknown_by_itself(library: Library, tmp_path: Path) -> None:
    """1x, xx, 0x, 01: the high bit holds its 1 over the xx, the low bit has always been 1."""
    netlist = build({}, ["d[1]", "d[0]"])
    changes = [(0, "1x"), (10, "xx"), (20, "0x"), (30, "01")]
    path = write_vcd(tmp_path / "b.vcd", {"t.d [1:0]": (2, changes)}, 40)
    found = replay_waveform(netlist, library, path, "t", ReplayOptions(unknown="hold"))
    assert found.totals[2:].tolist() == [1, 0]
    assert found.high_s[2:] == pytest.approx([20e-9, 40e-9], rel=1e-12, abs=0)
    with pytest.raises(WaveformError, match=r"t\.d is unknown"):
        replay_waveform(netlist, library, path, "t")


# --- names ---------------------------------------------------------------------------------------


def test_an_alias_is_one_signal(library: Library, tmp_path: Path) -> None:
    path = write_vcd(tmp_path / "a.vcd", {"t.a": (1, A), "t.u.a": (1, A), "t.b": (1, B)}, 60)
    wave = open_waveform(path)
    assert wave.signals["t.a"].identity == wave.signals["t.u.a"].identity
    assert counted(replay(prepare(PAIR, library, wave, "t"))) == TOGGLES


def test_a_name_that_is_there_twice(library: Library, tmp_path: Path) -> None:
    """The same name for one signal is no harm; for two it is refused, if it is asked for.

    (vcdvcd keeps the last of them and cannot tell.)
    """
    path = write_vcd(tmp_path / "a.vcd", {"t.a": (1, A), "t.b": (1, B), "t.c": (1, list(B))}, 60)
    text = path.read_text()
    path.write_text(text.replace("s0 a $end", "s0 a $end\n$var wire 1 s0 a $end"))
    assert counted(replay_waveform(PAIR, library, path, "t")) == TOGGLES
    path.write_text(text.replace("s2 c $end", "s2 a $end"))
    with pytest.raises(WaveformError) as caught:
        replay_waveform(PAIR, library, path, "t")
    assert str(caught.value) == (
        f"{path} shows t.a twice, as two different signals: name a scope that holds the design once"
    )
    other = text.replace("s0 a $end", "s0 a $end\n$var wire 1 s1 q $end\n$var wire 1 s2 q $end")
    path.write_text(other)
    assert counted(replay_waveform(PAIR, library, path, "t")) == TOGGLES


def test_escaped_names(library: Library, tmp_path: Path) -> None:
    netlist = build({"u": ("INV", {"A": "\\x.y[3] ", "Y": "y"})}, ["\\x.y[3] "])
    for spelling in ("\\x.y[3]", "x.y[3]"):
        path = write_vcd(tmp_path / "e.vcd", {"t.a": (1, A)}, 60)
        path.write_text(path.read_text().replace(" a $end", f" {spelling} $end"))
        found = replay_waveform(netlist, library, path, "t")
        assert found.unmatched == ()
        assert found.totals[2:].tolist() == [4, 4]


def test_wide_signals(library: Library, tmp_path: Path) -> None:
    """Bits 0, 63, 64 and 129 of 130, of which some come without their leading zeros."""
    source, width = random.Random(5), 130
    values = [source.getrandbits(width) >> source.choice((0, 0, 70, 129)) for _ in range(200)]
    picked = (0, 63, 64, 129)
    netlist = build({}, [f"d[{bit}]" for bit in picked])
    changes = [(k, f"{value:b}") for k, value in enumerate(values)]
    path = write_vcd(tmp_path / "w.vcd", {f"t.d [{width - 1}:0]": (width, changes)}, 300)
    for reader in ("wellen", "vcdvcd"):
        found = replay_waveform(netlist, library, path, "t", reader=reader)
        for net, bit in enumerate(picked, start=2):
            bits = [value >> bit & 1 for value in values]
            assert found.totals[net] == sum(a != b for a, b in pairwise(bits))


# --- files that are none -------------------------------------------------------------------------


def refused(path: Path, library: Library, reader: Reader = "wellen") -> str:
    with pytest.raises(WaveformError) as caught:
        replay_waveform(PAIR, library, path, "tb.dut", reader=reader)
    message = str(caught.value)
    assert str(path) in message
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("reader", ["own", "wellen", "vcdvcd"])
def test_no_file(library: Library, tmp_path: Path, reader: Reader) -> None:
    assert "is not a file: give the FST or VCD" in refused(tmp_path / "a.vcd", library, reader)
    assert "is not a file" in refused(tmp_path, library, reader)
    path = tmp_path / "b.vcd"
    path.touch()
    assert refused(path, library, reader) == f"{path} is empty: the simulation wrote no waveform"


@pytest.mark.parametrize("reader", ["own", "wellen", "vcdvcd"])
@pytest.mark.parametrize(
    "content",
    [
        b"$timescale 1ns $end\n$enddefinitions $end\n",
        b"$timescale 1ns $end\n$scope module t $end\n$upscope $end\n$enddefinitions $end\n#0\n",
        b"module dut; endmodule\n",
        b"\x00\x01\x02\x03" * 500,
        bytes(range(256)) * 20,
        b"\n\n\n",
        b"\xff",
        b"{}",
        b"$",
        b"$timescale\n",
    ],
)
def test_files_of_something_else(
    library: Library, tmp_path: Path, content: bytes, reader: Reader
) -> None:
    path = tmp_path / "a.vcd"
    path.write_bytes(content)
    refused(path, library, reader)


def test_nothing_ever_changes(library: Library, tmp_path: Path) -> None:
    a, b = [(0, "0")], [(0, "1")]
    path = write_vcd(tmp_path / "a.vcd", {"tb.dut.a": (1, a), "tb.dut.b": (1, b)})
    with pytest.raises(WaveformError):
        replay_waveform(PAIR, library, path, "tb.dut")
    none: list[tuple[int, str]] = []
    path = write_vcd(tmp_path / "b.vcd", {"tb.dut.a": (1, none), "tb.dut.b": (1, B)}, 60)
    assert refused(path, library) == f"{path} declares tb.dut.a and never gives it a value"
    path = write_vcd(tmp_path / "c.vcd", {"tb.dut.a": (1, a), "tb.dut.b": (1, b)}, 70)
    found = replay_waveform(
        PAIR, library, path, "tb.dut"
    )  # a time with nothing new is a time all the same
    assert counted(found) == dict.fromkeys("abny", 0)
    assert found.duration_s == pytest.approx(70e-9, rel=1e-12, abs=0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    text = """`timescale 1ns/1ns
module dut(input a, b, output y); assign y = a & b; reg [99:0] wide; reg [3:0] n;
initial begin wide = 1; n = 0; end always @(a) begin wide = wide * 5; n = n + 1; end endmodule
module tb; reg a, b; wire y; dut dut(a, b, y); integer i;
initial begin $dumpfile("wave.out"); $dumpvars(0, tb); a = 0; b = 1;
for (i = 0; i < 200; i = i + 1) begin #3 a = !a; if (i % 3 == 0) b = !b; end $finish; end
endmodule
"""
    folder = tmp_path_factory.mktemp("whole")
    found = {form: icarus(text, folder / form, form).read_bytes() for form in ("vcd", "fst")}
    found["fst"] = found["fst"][:202] + bytes(119) + found["fst"][321:]  # its date
    return found


@pytest.mark.parametrize(("form", "reader"), READERS)
def test_cut_files(
    library: Library, tmp_path: Path, whole: dict[str, bytes], form: str, reader: Reader
) -> None:
    """A VCD may be cut where it says nothing amiss; an FST may not."""
    data, source = whole[form], random.Random(form + reader)
    path = tmp_path / f"a.{form}"
    for at in [1, 8, len(data) - 1, *(source.randrange(1, len(data)) for _ in range(40))]:
        path.write_bytes(data[:at])
        said = outcome(PAIR, library, path, reader)
        if form == "fst" and at < len(data) - 1:
            assert said != "right", at
    path.write_bytes(data)
    assert outcome(PAIR, library, path, reader) == "right"


@pytest.mark.parametrize(("form", "reader"), READERS)
def test_damaged_files(tmp_path: Path, whole: dict[str, bytes], form: str, reader: Reader) -> None:
    """Flipped bytes: an error of ours in one line, or a reading; never a traceback or noise.

    In a process of its own: pywellen allocates whatever length a broken FST states, and Rust aborts
    when there is no such memory.
    """
    path = tmp_path / f"a.{form}"
    path.write_bytes(whole[form])
    words = [sys.executable, "-m", "tests.energy.small_damage", str(path), reader, "150"]
    root = Path(__file__).parents[3]
    run = subprocess.run(words, capture_output=True, text=True, cwd=root, check=False, timeout=300)
    said = run.stdout.splitlines()
    if run.returncode == -signal.SIGABRT and form == "fst":
        assert run.stderr == ""
    else:
        assert run.returncode == 0, run.stderr
        assert len(said) == 150
        assert run.stderr == ""
    for line in said:
        assert line == "right" or str(path.parent) in line or line.startswith("tb.dut."), line


@pytest.mark.parametrize("reader", ["own", "wellen", "vcdvcd"])
def test_time_that_goes_back(
    library: Library, tmp_path: Path, reader: Reader, capfd: pytest.CaptureFixture[str]
) -> None:
    """Pywellen would skip it, and say so on standard output."""
    path = write_vcd(tmp_path / "a.vcd", {"tb.dut.a": (1, A), "tb.dut.b": (1, B)}, 60)
    path.write_text(path.read_text().replace("#30\n", "#3\n"))
    where = ", line 19:" if reader == "own" else ""
    assert refused(path, library, reader) == f"{path}{where} goes back in time: write it again"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("form", ["vcd", "fst"])
def test_what_is_printed_meanwhile(tmp_path: Path, form: str) -> None:
    """Standard output and standard error are as before; what was waiting there comes first."""
    path = icarus(SHAPES, tmp_path / form, form)
    code = (
        "import sys; from spikewatt.energy.activity.waveform import open_waveform; print('before');"
        f"wave = open_waveform({str(path)!r}); wave.changes(wave.signals['tb.clk']);"
        "print('after'); print('error', file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr, run.returncode) == ("before\nafter\n", "error\n", 0)
    code = code.replace("print(", "str(").replace("str('error', file=sys.stderr)", "sys.exit(7)")
    shut = ["bash", "-c", 'exec "$0" "$@" >&- 2>&-', sys.executable, "-c", code]
    assert subprocess.run(shut, check=False, timeout=60).returncode == 7
