"""States found in a waveform through renaming, inversion, merging, offsets; and what is not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikewatt.base.errors import NetlistError, WaveformError
from spikewatt.energy.activity.activity import Activity
from spikewatt.energy.activity.replay import ReplayOptions, prepare, replay_waveform
from spikewatt.synth.asic import MappingOptions, synthesise
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from tests.energy.small_library import build, read
from tests.energy.small_waves import icarus, write_vcd


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return read(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def built_in() -> Library:
    return read_liberty(default_library_path())


def synthesised(verilog: str, library: Library, form: str = "json") -> Netlist:
    result = synthesise(verilog, "dut", default_library_path(), MappingOptions(clock_gating=False))
    return read_netlist(result.netlist if form == "json" else result.verilog, library, top="dut")


def simulated(verilog: str, folder: Path, drive: str, ports: str) -> Path:
    """Dump of all, 30 cycles of a clock with edges at 5 ns, 15 ns, …; ``drive`` moves inputs."""
    text = f"""`timescale 1ns/100ps
{verilog}
module tb; reg clk = 0, rst = 1; reg [3:0] d = 0; always #5 clk = !clk; {ports}
initial begin $dumpfile("wave.out"); $dumpvars(0, tb); {drive} #300 $finish; end endmodule
"""
    return icarus(text, folder, "vcd")


def toggles(found: Activity, netlist: Netlist, name: str) -> int:
    (net,) = (n for n, names in enumerate(netlist.names) if name in names)
    return int(found.totals[net])


DRIVE = "#12 rst = 0; repeat (20) begin #10 d = d * 5 + 3; end"


@pytest.mark.parametrize("form", ["json", "verilog"])
def test_a_register_that_is_reset_to_one(built_in: Library, tmp_path: Path, form: str) -> None:
    """Without a flip-flop with preset it is stored inverted: each bit still is the waveform's."""
    verilog = """module dut(input clk, rst, input [3:0] d, output reg [3:0] q, output y);
always @(posedge clk or posedge rst) if (rst) q <= 4'b1010; else q <= d; assign y = ^q; endmodule"""
    netlist = synthesised(verilog, built_in, form)
    ports = "wire [3:0] q; wire y; dut dut(clk, rst, d, q, y);"
    path = simulated(verilog, tmp_path / "run", DRIVE, ports)
    found = replay_waveform(netlist, built_in, path, "tb.dut", ReplayOptions(unknown="hold"))
    assert found.unmatched == ()
    assert found.matched == 4
    assert found.judged >= 4 * 20  # clock edges that come with a change of q or d
    seen = [toggles(found, netlist, f"q[{bit}]") for bit in range(4)]
    assert all(count > 3 for count in seen)


def test_inverted_storage(library: Library, tmp_path: Path) -> None:
    """``s`` is no name of the RTL; what it drives through an inverter is."""
    netlist = build(
        {
            "i": ("INV", {"A": "d", "Y": "n"}),
            "f": ("DFF", {"D": "n", "CK": "clk", "Q": "s"}),
            "o": ("INV", {"A": "s", "Y": "q"}),
            "b": ("BUF", {"A": "s", "Y": "t"}),
        },
        ["clk", "d"],
    )
    clk = [(5 * k, str(k & 1)) for k in range(13)]
    d, q = [(0, "0"), (12, "1"), (32, "0")], [(0, "0"), (15, "1"), (35, "0")]
    signals = {"t.clk": (1, clk), "t.d": (1, d), "t.q": (1, q)}
    found = replay_waveform(netlist, library, write_vcd(tmp_path / "a.vcd", signals), "t")
    assert found.unmatched == ()
    assert found.matched == 1
    assert found.judged == 4  # all edges but those before the second change of q or d
    assert toggles(found, netlist, "s") == toggles(found, netlist, "t") == 2
    s = netlist.names.index(("s",))
    assert found.high_s[s] == pytest.approx(40e-9, rel=1e-12, abs=0)  # 60 ns but 15 to 35
    # and what the waveform says of it must be so
    wrong = {**signals, "t.q": (1, [(0, "0"), (25, "1"), (35, "0")])}
    path = write_vcd(tmp_path / "b.vcd", wrong)
    with pytest.raises(NetlistError, match=r"^s is 1 at 1\.[25]e-08 s in .*netlist makes it 0"):
        replay_waveform(netlist, library, path, "t")


@pytest.mark.parametrize("stages", [1, 2, 3, 4])
def test_storage_behind_a_chain(library: Library, tmp_path: Path, stages: int) -> None:
    nets = ["s", *(f"c{k}" for k in range(1, stages)), "q"]
    chain = {f"i{k}": ("INV", {"A": nets[k], "Y": nets[k + 1]}) for k in range(stages)}
    netlist = build({"f": ("DFF", {"D": "d", "CK": "clk", "Q": "s"}), **chain}, ["clk", "d"])
    clk = [(5 * k, str(k & 1)) for k in range(13)]
    d, s = [(0, 0), (12, 1), (32, 0)], [(0, 0), (15, 1), (35, 0)]
    signals = {
        "t.clk": (1, clk),
        "t.d": (1, [(time, str(value)) for time, value in d]),
        "t.q": (1, [(time, str(value ^ stages & 1)) for time, value in s]),
    }
    found = replay_waveform(netlist, library, write_vcd(tmp_path / "a.vcd", signals), "t")
    assert (found.unmatched, found.matched) == ((), 1)
    high = found.high_s[netlist.names.index(("s",))]
    assert high == pytest.approx(20e-9, rel=1e-12, abs=0)


@pytest.mark.parametrize("form", ["json", "verilog"])
def test_merged_constant_and_left_out_registers(
    built_in: Library, tmp_path: Path, form: str
) -> None:
    """``b`` equals ``a`` and ``c`` is never anything but 5: one register is left."""
    verilog = """module dut(input clk, rst, input [3:0] d, output [3:0] y, output [3:0] z);
reg [3:0] a, b, c, unused;
always @(posedge clk) begin
  a <= d; b <= d; c <= 5; unused <= d + c; end
assign y = a ^ b ^ c; assign z = b; endmodule"""
    netlist = synthesised(verilog, built_in, form)
    ports = "wire [3:0] y, z; dut dut(clk, rst, d, y, z);"
    path = simulated(verilog, tmp_path / "run", DRIVE, ports)
    found = replay_waveform(netlist, built_in, path, "tb.dut", ReplayOptions(unknown="hold"))
    assert found.unmatched == ()
    assert 4 <= found.matched <= 8


@pytest.mark.parametrize("form", ["json", "verilog"])
@pytest.mark.parametrize(
    ("bits", "kept"),
    [("[7:4]", "q[7:4]"), ("[7:4]", "q[5:4]"), ("[6:2]", "q[3]"), ("[11:4]", "{q[9], q[4]}")],
)
def test_buses_with_an_offset(
    built_in: Library, tmp_path: Path, form: str, bits: str, kept: str
) -> None:
    """Whatever bits of the bus are left, each is its own bit of the waveform."""
    verilog = f"""module dut(input clk, rst, input [3:0] d, output [7:0] y);
reg {bits} q; always @(posedge clk) if (rst) q <= 0; else q <= q * 3 + {{d, d}};
assign y = {kept}; endmodule"""
    netlist = synthesised(verilog, built_in, form)
    path = simulated(verilog, tmp_path / "run", DRIVE, "wire [7:0] y; dut dut(clk, rst, d, y);")
    found = replay_waveform(netlist, built_in, path, "tb.dut", ReplayOptions(unknown="hold"))
    assert found.unmatched == ()
    assert found.judged > 0


FLOPS = {
    "f": ("DFF", {"D": "d", "CK": "clk", "Q": "q"}),
    "g": ("DFF", {"D": "q", "CK": "clk", "Q": "r"}),
    "u": ("NAND", {"A": "q", "B": "r", "Y": "y"}),
}
CHAIN = build(FLOPS, ["clk", "d"], ["y"])
CLK = [(5 * k, str(k & 1)) for k in range(13)]
D, Q = [(0, "0"), (12, "1"), (32, "0")], [(0, "0"), (15, "1"), (35, "0")]
R = [(0, "0"), (25, "1"), (45, "0")]
WAVES = {"t.u.clk": (1, CLK), "t.u.d": (1, D), "t.u.q": (1, Q), "t.u.r": (1, R)}


def test_a_state_that_the_waveform_does_not_show_is_listed_and_replayed(
    library: Library, tmp_path: Path
) -> None:
    """``r`` follows from ``q``; without ``q`` too, from ``d``."""
    for hidden in ({"t.u.r"}, {"t.u.q"}, {"t.u.q", "t.u.r"}):
        signals = {name: signal for name, signal in WAVES.items() if name not in hidden}
        path = write_vcd(tmp_path / "a.vcd", signals)
        found = replay_waveform(CHAIN, library, path, "t.u")
        assert found.matched == 2 - len(hidden)
        assert toggles(found, CHAIN, "q") == toggles(found, CHAIN, "r") == 2
        assert toggles(found, CHAIN, "y") == 2
        assert set(found.unmatched) == {name.removeprefix("t.u.") for name in hidden}


def test_an_input_that_the_waveform_does_not_show_is_listed(
    library: Library, tmp_path: Path
) -> None:
    netlist = build({"u": ("NAND", {"A": "a", "B": "b", "Y": "y"})}, ["a", "b"])
    path = write_vcd(tmp_path / "a.vcd", {"t.a": (1, D)}, 60)
    found = replay_waveform(netlist, library, path, "t")
    assert found.unmatched == ("b",)
    assert toggles(found, netlist, "b") == toggles(found, netlist, "y") == 0


def test_a_loop_through_states_that_are_not_shown_is_listed(
    library: Library, tmp_path: Path
) -> None:
    """A divider by two: nothing tells where it begins, so it is named, not guessed in silence."""
    netlist = build(
        {
            "i": ("INV", {"A": "h", "Y": "n"}),
            "f": ("DFF", {"D": "n", "CK": "clk", "Q": "h"}),
        },
        ["clk"],
    )
    path = write_vcd(tmp_path / "a.vcd", {"t.clk": (1, CLK)})
    found = replay_waveform(netlist, library, path, "t")
    assert found.unmatched == ("h",)
    shown = write_vcd(tmp_path / "b.vcd", {"t.clk": (1, CLK), "t.h": (1, [(t, v) for t, v in Q])})
    with pytest.raises(NetlistError, match=r"^h is "):
        replay_waveform(netlist, library, shown, "t")


# --- scopes --------------------------------------------------------------------------------------


def test_the_scope_is_found_by_the_ports(library: Library, tmp_path: Path) -> None:
    signals = {**WAVES, "t.u.y": (1, [(0, "1"), (25, "0"), (35, "1")]), "t.clk": (1, CLK)}
    path = write_vcd(tmp_path / "a.vcd", signals)
    assert replay_waveform(CHAIN, library, path).scope == "t.u"
    for spelling in ("t.u", "t.u.", "\\t.u ", ".t.u"):
        assert replay_waveform(CHAIN, library, path, spelling).scope == "t.u"


def test_wrong_scopes(library: Library, tmp_path: Path) -> None:
    path = write_vcd(tmp_path / "a.vcd", WAVES)
    with pytest.raises(WaveformError) as caught:
        replay_waveform(CHAIN, library, path, "tb.dut")
    assert str(caught.value) == f"{path} has no scope tb.dut: it has t.u"
    with pytest.raises(WaveformError) as caught:
        replay_waveform(CHAIN, library, path)
    assert str(caught.value) == (
        f"no scope of {path} has the ports of small: name the one with --scope"
    )
    other = write_vcd(tmp_path / "b.vcd", {**WAVES, "t.v.k": (1, CLK)})
    with pytest.raises(WaveformError) as caught:
        replay_waveform(CHAIN, library, other, "t.v")
    assert str(caught.value) == (
        f"scope t.v of {other} shows no input of small: is it this design's?"
    )


def test_two_scopes_that_both_fit(library: Library, tmp_path: Path) -> None:
    y = [(0, "1"), (25, "0"), (35, "1")]
    one = {**WAVES, "t.u.y": (1, y)}
    two = {name.replace("t.u", "t.v"): signal for name, signal in one.items()}
    path = write_vcd(tmp_path / "a.vcd", {**one, **two})
    with pytest.raises(WaveformError) as caught:
        replay_waveform(CHAIN, library, path)
    assert str(caught.value) == (
        f"{path} has several scopes with the ports of small (t.u, t.v): name one with --scope"
    )
    named = {name.replace("t.u", "t.small"): signal for name, signal in one.items()}
    path = write_vcd(tmp_path / "b.vcd", {**one, **named})
    assert replay_waveform(CHAIN, library, path).scope == "t.small"  # the netlist's own name
    inner = {name.replace("t.u", "t.u.w"): signal for name, signal in one.items()}
    path = write_vcd(tmp_path / "c.vcd", {**one, **inner})
    assert replay_waveform(CHAIN, library, path).scope == "t.u"  # the outer one


def test_a_bench_whose_wires_are_called_like_the_ports(library: Library, tmp_path: Path) -> None:
    """The scope with the states is the design, wherever others have its ports."""
    other = [(0, "0"), (3, "1")]
    ports = ("clk", "d", "y")
    y = [(0, "1"), (25, "0"), (35, "1")]
    one = {**WAVES, "t.u.y": (1, y)}
    bench = {f"t.{port}": (1, list(other)) for port in ports}
    inner = {f"t.u.v.{port}": (1, list(other)) for port in ports}
    apart = {f"b.{port}": (1, list(other)) for port in ports}
    path = write_vcd(tmp_path / "a.vcd", {**apart, **bench, **one, **inner})
    assert replay_waveform(CHAIN, library, path).scope == "t.u"


def test_states_count_before_other_nets(library: Library, tmp_path: Path) -> None:
    """Gates by the names of their nets alone do not make a scope the design."""
    cells = {**FLOPS, **{f"i{k}": ("INV", {"A": "y", "Y": f"z{k}"}) for k in range(5)}}
    netlist = build(cells, ["clk", "d"], ["y"])
    y = [(0, "1"), (25, "0"), (35, "1")]
    gates = {f"t.g.{net}": (1, list(D)) for net in ("clk", "d", "y", *(f"z{k}" for k in range(5)))}
    path = write_vcd(tmp_path / "a.vcd", {**gates, **WAVES, "t.u.y": (1, y)})
    assert replay_waveform(netlist, library, path).scope == "t.u"


def test_scopes_with_slashes(library: Library, tmp_path: Path) -> None:
    path = write_vcd(tmp_path / "a.vcd", {"t.u.a": (1, D), "t.u.b": (1, Q)}, 60)
    netlist = build({"u": ("NAND", {"A": "a", "B": "b", "Y": "y"})}, ["a", "b"])
    for spelling in ("t/u", "/t/u", "t/u/", "\\t /u"):
        assert replay_waveform(netlist, library, path, spelling).scope == "t.u"
    with pytest.raises(WaveformError, match=r"has no scope t\.v: it has t\.u$"):
        replay_waveform(netlist, library, path, "t/v")


def test_flattened_names_with_slashes(library: Library, tmp_path: Path) -> None:
    """As some tools flatten: in the netlist, or in the waveform."""
    flat = build({"u": ("INV", {"A": "\\u/v/a[1] ", "Y": "y"})}, ["\\u/v/a[1] "])
    levels = build({"u": ("INV", {"A": "u.v.a[1]", "Y": "y"})}, ["u.v.a[1]"])
    for name in ("t.u.v.a [2:1]", "t.u/v/a [2:1]"):
        path = write_vcd(tmp_path / "a.vcd", {name: (2, [(0, "01"), (5, "10"), (7, "11")])}, 60)
        for netlist in (flat, levels):
            found = replay_waveform(netlist, library, path, "t")
            assert found.unmatched == ()
            assert found.totals[2:].tolist() == [2, 2]


def test_packed_structs_and_arrays_in_parts(library: Library, tmp_path: Path) -> None:
    """Verilator shows a packed struct as a scope, and the elements of a packed array."""
    nets = [f"s[{bit}]" for bit in range(8)] + [f"m[{bit}]" for bit in range(4)]
    nets += [f"w[{bit}]" for bit in range(3)]
    netlist = build({}, nets)
    a, b, c = [(0, "000"), (5, "100")], [(0, "0"), (6, "1")], [(0, "0000"), (7, "0010")]
    w = [(0, "000"), (8, "110")]
    m = [(0, "00"), (9, "10")]
    signals = {
        "t.s.a [2:0]": (3, a),
        "t.s.b": (1, b),
        "t.s.c.d [3:0]": (4, c),
        "t.m[1] [1:0]": (2, m),
        "t.m[0] [1:0]": (2, [(0, "00"), (9, "00")]),
        "t.w.word [2:0]": (3, w),
        "t.w.again [2:0]": (3, w),
    }
    path = write_vcd(tmp_path / "a.vcd", signals, 20)
    found = replay_waveform(netlist, library, path, "t")
    assert found.unmatched == ()
    toggling = {nets[net - 2] for net in np.flatnonzero(found.totals).tolist()}
    assert toggling == {"s[7]", "s[4]", "s[1]", "m[3]", "w[2]", "w[1]"}
    rising = replace(netlist, ascending=frozenset({"w", "s"}))
    found = replay_waveform(rising, library, path, "t")
    toggling = {nets[net - 2] for net in np.flatnonzero(found.totals).tolist()}
    assert toggling == {"s[0]", "s[3]", "s[6]", "m[3]", "w[0]", "w[1]"}


def test_bits_in_any_order_and_buses_in_parts(library: Library, tmp_path: Path) -> None:
    netlist = build({}, [f"d[{bit}]" for bit in range(12)])
    order = [0, 10, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    history = {bit: [(0, "0"), *((k + 1, "01"[k % 2 == 0]) for k in range(bit))] for bit in order}
    for text in (" \\d[{}]", " d[{}]", " d [{}]"):
        signals = {f"t.{text.format(bit).strip()}": (1, history[bit]) for bit in order}
        path = write_vcd(tmp_path / "a.vcd", signals, 20)
        found = replay_waveform(netlist, library, path, "t")
        assert found.unmatched == ()
        assert found.totals[2:].tolist() == list(range(12))
    parts = {"t.d [11:8]": (4, [(0, "0000"), (1, "1000")]), "t.d [7:0]": (8, [(0, "00000001")])}
    found = replay_waveform(netlist, library, write_vcd(tmp_path / "b.vcd", parts, 20), "t")
    assert np.flatnonzero(found.totals).tolist() == [2 + 11]
    assert found.high_s[2] > 0


def test_buses_that_the_netlist_counts_otherwise(library: Library, tmp_path: Path) -> None:
    """The indices of both meet in part only: then each has its bits from its lowest one on."""
    netlist = build({}, [f"d[{bit}]" for bit in range(8)])
    changes = [(0, "00000000"), (1, "00000010"), (2, "01000010")]
    path = write_vcd(tmp_path / "a.vcd", {"t.d [11:4]": (8, changes)}, 20)
    found = replay_waveform(netlist, library, path, "t")
    assert np.flatnonzero(found.totals[2:]).tolist() == [1, 6]


def test_negative_indices(library: Library, tmp_path: Path) -> None:
    netlist = build({}, ["n[-4]", "n[-1]", "n[-2]"])
    for ends, value in (("[-1:-4]", "1000"), ("[-4:-1]", "0001")):
        path = write_vcd(tmp_path / "a.vcd", {f"t.n {ends}": (4, [(0, "0000"), (3, value)])}, 20)
        found = replay_waveform(netlist, library, path, "t")
        assert found.unmatched == ()
        assert found.totals[2:].tolist() == [0, 1, 0]


# --- netlists that are not the waveform's --------------------------------------------------------


def test_a_netlist_of_another_design(library: Library, tmp_path: Path) -> None:
    """The bit and the time are named; a window that ends before does not see it."""
    other = build({**FLOPS, "g": ("DFF", {"D": "y", "CK": "clk", "Q": "r"})}, ["clk", "d"], ["y"])
    path = write_vcd(tmp_path / "a.vcd", WAVES)
    with pytest.raises(NetlistError) as caught:
        replay_waveform(other, library, path, "t.u")
    assert str(caught.value) == (
        f"r is 0 at 1.5e-08 s in {path}, and the netlist makes it 1: "
        "they are not of one design, or an input changed at the very time of the clock edge"
    )
    late = {**WAVES, "t.u.r": (1, [*R, (57, "1")])}  # no clock edge makes that
    path = write_vcd(tmp_path / "b.vcd", late)
    with pytest.raises(NetlistError, match=r"^r is 1 at 5\.7e-08 s in "):
        replay_waveform(CHAIN, library, path, "t.u")
    assert replay_waveform(CHAIN, library, path, "t.u", ReplayOptions(window=(0, 50e-9))).judged > 0


def test_both_engines_find_the_same_fault(library: Library, tmp_path: Path) -> None:
    path = write_vcd(tmp_path / "a.vcd", {**WAVES, "t.u.q": (1, [*Q, (55, "1")])})
    said = set()
    for engine in ("numba", "numpy"):
        with pytest.raises(NetlistError) as caught:
            replay_waveform(CHAIN, library, path, "t.u", ReplayOptions(engine=engine))
        said.add(str(caught.value))
    assert len(said) == 1


@pytest.mark.parametrize("bit", range(4))
def test_any_wrong_bit_is_found(built_in: Library, tmp_path: Path, bit: int) -> None:
    """A counter whose waveform has one bit flipped at one time only."""
    verilog = """module dut(input clk, rst, input [3:0] d, output reg [3:0] q);
always @(posedge clk) if (rst) q <= 0; else q <= q + d; endmodule"""
    netlist = synthesised(verilog, built_in)
    values, q = [], 0
    for _ in range(50):
        values.append(q)
        q = (q + 3) % 16
    clk = [(5 * k, str(k & 1)) for k in range(99)]
    fixed = [(0, "0")], [(0, "0011")]

    def wave(name: str, q: list[int]) -> Path:
        history = [(0 if not k else 10 * k - 5, f"{value:04b}") for k, value in enumerate(q)]
        signals = {"t.clk": (1, clk), "t.rst": (1, fixed[0]), "t.d [3:0]": (4, fixed[1])}
        return write_vcd(tmp_path / name, {**signals, "t.q [3:0]": (4, history)})

    assert replay_waveform(netlist, built_in, wave("a.vcd", values), "t").judged == 4 * 49
    values[23] ^= 1 << bit
    with pytest.raises(NetlistError) as caught:
        replay_waveform(netlist, built_in, wave("b.vcd", values), "t")
    assert str(caught.value).startswith(f"q[{bit}] is {values[23] >> bit & 1} at 2.25e-07 s in ")


def test_combinational_loops(library: Library, tmp_path: Path) -> None:
    ring = build(
        {
            "u": ("NAND", {"A": "a", "B": "z", "Y": "x"}),
            "v": ("INV", {"A": "x", "Y": "y"}),
            "w": ("INV", {"A": "y", "Y": "z"}),
        },
        ["a"],
    )
    path = write_vcd(tmp_path / "a.vcd", {"t.a": (1, D)}, 60)
    with pytest.raises(NetlistError) as caught:
        prepare(ring, library, path, "t")
    said = str(caught.value)
    assert said.startswith("combinational loop through ")
    loop = said.removeprefix("combinational loop through ").split(" does not")[0].split(" -> ")
    assert loop[0] == loop[-1]
    assert set(loop) == set("xyz")
    assert "".join(loop) in "xyzxyzxyz", "in the order of the signals"


def test_cells_that_the_library_has_not(library: Library, tmp_path: Path) -> None:
    path = write_vcd(tmp_path / "a.vcd", WAVES)
    netlist = build({"top.u": ("NOR9", {"A": "clk", "Y": "y"})}, ["clk"])
    with pytest.raises(NetlistError) as caught:
        replay_waveform(netlist, library, path, "t.u")
    assert str(caught.value) == (
        "cell top.u is a NOR9, which library small has not: "
        "give the library that the netlist was mapped to"
    )


def test_a_netlist_of_nothing(library: Library, tmp_path: Path) -> None:
    path = write_vcd(tmp_path / "a.vcd", WAVES)
    found = replay_waveform(build({}, ["clk", "d"]), library, path, "t.u")
    np.testing.assert_array_equal(found.totals, [0, 0, 12, 2])
