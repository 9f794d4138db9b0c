"""Static timing: by hand, against an event-driven simulation, and of the core that ships."""

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from spikewatt.base.errors import LibraryError, NetlistError, ParameterError
from spikewatt.base.report import from_json
from spikewatt.energy.delays.timing import TimingOptions, TimingReport, analyse_timing
from spikewatt.energy.glitches.annotated import gates_verilog
from spikewatt.energy.pricing.options import Wires
from spikewatt.energy.pricing.sram import SramModel
from spikewatt.hdl.neuro.core import NeuroCore
from spikewatt.model.compile.mapping import map_network
from spikewatt.model.network.dataset import load_digits
from spikewatt.synth.asic import synthesise
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Memory, MemoryPort, Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from spikewatt.synth.verilog import export
from tests.energy.event_driven import read_trace, simulate
from tests.energy.small_library import build, read
from tests.energy.timed_library import NANO, timed_library

FEMTO = 1e-15
OSU = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
CASE = Path(__file__).parents[2] / "data" / "opensta"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return timed_library(tmp_path_factory.mktemp("library"))


def near(nanoseconds: float) -> object:
    return pytest.approx(nanoseconds * NANO, rel=1e-9, abs=0)


def arrivals(netlist: Netlist, library: Library, net: str, phase: int = 0) -> list[float]:
    at = [names[0] for names in netlist.names].index(net)
    return (analyse_timing(netlist, library).arrival[phase, at] / NANO).tolist()


def test_gates_by_hand(library: Library) -> None:
    """Loads: 1 fF a gate's pin, 2 fF a flip-flop's D. Slews (ns): load / 5 up, load / 10 down."""
    netlist = build(
        {
            "f": ("DFF", {"CK": "clk", "D": "d", "R": "r", "Q": "q"}),
            "i": ("INV", {"A": "q", "Y": "n"}),
            "g": ("NAND", {"A": "q", "B": "n", "Y": "w"}),
            "x": ("XOR", {"A": "w", "B": "q", "Y": "d"}),
        },
        inputs=("clk", "r"),
    )
    # q drives three pins: 1 + 0.3 and 2 + 0.3 after the edge, slews 0.6 and 0.3.
    assert arrivals(netlist, library, "q") == pytest.approx([1.3, 2.3])
    # n: one pin. Rises by q's fall: 2.3 + 1 + 0.15 + 0.1; falls by its rise: 1.3 + 2 + 0.3 + 0.1.
    assert arrivals(netlist, library, "n") == pytest.approx([3.55, 3.7])
    # w, by B: 3.7 + 5 + 0.05 + 0.1 from n's fall, 3.55 + 6 + 0.1 + 0.1 from its rise.
    assert arrivals(netlist, library, "w") == pytest.approx([8.85, 9.75])
    # d: w's fall + 7 or 8 + 0.05 + 0.2; any edge of w makes either edge of d.
    assert arrivals(netlist, library, "d") == pytest.approx([17.0, 18.0])
    timing = analyse_timing(netlist, library)
    assert timing.period_s == near(18.0)
    assert timing.untimed == ()
    assert [(s.instance, s.pin, s.net, s.edge, s.arrival_s) for s in timing.path] == [
        ("f", "Q", "q", "fall", near(2.3)),
        ("i", "Y", "n", "rise", near(3.55)),
        ("g", "Y", "w", "fall", near(9.75)),
        ("x", "Y", "d", "fall", near(18.0)),
    ]
    end = timing.ends[0]
    assert (end.instance, end.pin, end.kind, end.half) == ("f", "D", "flip-flop", False)
    assert not timing.meets(17.9 * NANO)
    assert timing.meets(18.1 * NANO)
    # Lumped, x takes the delay of its B from q's rise, 10 + 0.3 + 0.2, for every arc.
    assert analyse_timing(netlist, library, options=TimingOptions(lumped=True)).period_s == near(
        9.75 + 10.5
    )


def test_setup_and_wires(library: Library) -> None:
    netlist = build(
        {
            "f": ("DFF", {"CK": "clk", "D": "a", "R": "r", "Q": "q"}),
            "i": ("INV", {"A": "q", "Y": "y"}),
        },
        inputs=("clk", "r", "a"),
        outputs=("y",),
    )
    found = {
        end.pin: end
        for end in analyse_timing(netlist, library, options=TimingOptions(setup_s=0.5 * NANO)).ends
    }
    assert found["D"].period_s == near(0.5)  # an input is there with the edge
    assert found["y"].period_s == near(1.1 + 2 + 0.1)  # an output has no margin
    wired = analyse_timing(netlist, library, options=TimingOptions(wires=Wires(per_sink=2 * FEMTO)))
    # q carries 3 fF and slews 0.6 up; no pin is on y, so that no wire is.
    assert wired.period_s == near(1.3 + 2 + 0.3)


def test_half_periods(library: Library) -> None:
    """A path between opposite edges asks for twice its delay."""
    netlist = build(
        {
            "a": ("DFF", {"CK": "clk", "D": "z", "R": "r", "Q": "q"}),
            "i": ("INV", {"A": "q", "Y": "m"}),
            "b": ("DFFN", {"CK": "clk", "D": "m", "R": "r", "Q": "p"}),
            "c": ("DFFN", {"CK": "clk", "D": "p", "R": "r", "Q": "o"}),
            "n": ("INV", {"A": "clk", "Y": "bar"}),
            "e": ("DFF", {"CK": "bar", "D": "q", "R": "r", "Q": "t"}),
        },
        inputs=("clk", "r", "z"),
        outputs=("o", "t"),
    )
    found = {(e.instance, e.pin): e for e in analyse_timing(netlist, library).ends}
    # q carries an inverter and e's D: 3 fF, slew 0.6 up; m carries b's D.
    assert found["b", "D"].half
    assert found["b", "D"].period_s == near(2 * (1.3 + 2 + 0.3 + 0.2))
    assert not found["c", "D"].half  # from falling to falling edge
    assert found["c", "D"].period_s == near(2.2)
    assert found["e", "D"].half  # behind an inverter the rising edge is the falling one
    assert found["e", "D"].period_s == near(2 * 2.3)
    assert found["", "t"].half
    assert found["", "t"].period_s == near(2 * 2.0)


def test_clock_gates_and_latches(library: Library) -> None:
    netlist = build(
        {
            "low": ("DFFN", {"CK": "clk", "D": "z", "R": "r", "Q": "held"}),
            "high": ("DFF", {"CK": "clk", "D": "z", "R": "r", "Q": "up"}),
            "and": ("AND", {"A": "clk", "B": "held", "Y": "ga"}),
            "or": ("OR", {"A": "clk", "B": "up", "Y": "go"}),
            "icg": ("ICG", {"CK": "clk", "E": "up", "GCK": "gi"}),
            "fa": ("DFF", {"CK": "ga", "D": "up", "R": "r", "Q": "qa"}),
            "fo": ("DFF", {"CK": "go", "D": "up", "R": "r", "Q": "qo"}),
            "fi": ("DFF", {"CK": "gi", "D": "up", "R": "r", "Q": "qi"}),
            "lat": ("LAT", {"CK": "clk", "D": "qi", "R": "r", "Q": "ql"}),
        },
        inputs=("clk", "r", "z"),
        outputs=("qa", "qo", "ql"),
    )
    found = {(e.instance, e.pin): e for e in analyse_timing(netlist, library).ends}
    # An AND gate rests low: its enable, from the falling edge, must be there at the rising one.
    assert found["and", "B"].kind == "clock gate"
    assert found["and", "B"].period_s == near(2 * 2.1)
    # An OR gate rests high: at the falling one. ``up`` carries 1 + 2 + 3 · 2 fF.
    assert found["or", "B"].period_s == near(2 * 2.9)
    assert found["icg", "E"].period_s == near(2.9)
    for name in ("fa", "fo", "fi"):  # gated clocks are ideal
        assert found[name, "D"].period_s == near(2.9)
    assert found["lat", "D"].kind == "latch"
    assert found["lat", "D"].period_s == near(2.2)
    assert found["", "ql"].period_s == near(2.0)  # from the enable, not through the open latch


def around_a_memory(
    library: Library, sram: SramModel, *, clocked: bool, rising: bool
) -> dict[tuple[str, str], tuple[float, bool]]:
    """Period (ns) and half of each end, by instance and pin."""
    netlist = build(
        {
            "i": ("INV", {"A": "a", "Y": "s"}),
            "o": ("INV", {"A": "q", "Y": "y"}),
            "w": ("INV", {"A": "q", "Y": "d"}),
        },
        inputs=("clk", "a", "en"),
        outputs=("y",),
    )
    at = {names[0]: net for net, names in enumerate(netlist.names)}
    enable, address = (at["en"],), (at["s"],)
    read_port = MemoryPort(
        "read", at["clk"] if clocked else None, rising, enable, address, (at["q"],)
    )
    write_port = MemoryPort("write", at["clk"], True, enable, address, (at["d"],))
    netlist = replace(netlist, memories=(Memory("m", "", 512, 1, (read_port, write_port)),))
    timing = analyse_timing(netlist, library, [at["clk"]], TimingOptions(sram=sram))
    return {(end.instance, end.pin): (end.period_s / NANO, end.half) for end in timing.ends}


def test_memories(library: Library) -> None:
    sram = SramModel(node_nm=45)
    access = sram.access_s(512, 1) / NANO
    found = around_a_memory(library, sram, clocked=True, rising=True)
    assert found["m", "write1.data"] == (pytest.approx(access + 2), False)  # slew 0, no load
    assert found["", "y"] == (pytest.approx(access + 2), False)
    assert found["m", "read0.address"] == (pytest.approx(2.0), False)
    assert found["m", "write1.enable"] == (0.0, False)
    found = around_a_memory(library, sram, clocked=True, rising=False)
    assert found["m", "write1.data"] == (pytest.approx(2 * (access + 2)), True)
    assert found["m", "read0.address"] == (pytest.approx(4.0), True)
    found = around_a_memory(library, sram, clocked=False, rising=True)  # after the address
    assert found["", "y"] == (pytest.approx(2 + access + 2), False)
    assert ("m", "read0.address") not in found


def test_access_times() -> None:
    """The table's own points; between them, below them, and at nodes without runs."""
    model = SramModel(node_nm=45)
    assert model.access_s(32, 32) == near(0.589593)  # cacti7_sram.csv: 45, itrs-lstp, 128 B
    assert model.access_s(1024, 8) == near(1.01793)  # 4096 B
    assert model.access_s(3, 8) == model.access_s(32, 64)
    between = model.access_s(1500, 32)
    assert model.access_s(1024, 32) < between < model.access_s(2048, 32)
    assert model.access_s(65536, 32) > model.access_s(16384, 32)
    scaled = SramModel(node_nm=180).access_s(512, 32)
    assert scaled == pytest.approx(2 * SramModel(node_nm=90).access_s(512, 32), rel=1e-9, abs=0)
    with pytest.raises(ParameterError, match="words must be 1 or more, not 0"):
        model.access_s(0, 8)


def test_clocks_from_elsewhere_are_told(library: Library) -> None:
    netlist = build(
        {
            "half": ("DFF", {"CK": "clk", "D": "z", "R": "r", "Q": "slow"}),
            "f": ("DFF", {"CK": "slow", "D": "z", "R": "r", "Q": "q"}),
            "rest": ("DFF", {"CK": "0", "D": "z", "R": "r", "Q": "s"}),
        },
        inputs=("clk", "r", "z"),
        outputs=("q", "s"),
    )
    at = {names[0]: net for net, names in enumerate(netlist.names)}
    ports = [MemoryPort("read", clock, True, (1,), (at["z"],), (0,)) for clock in (at["slow"], 0)]
    memories = tuple(
        Memory(name, "", 2, 1, (port,)) for name, port in zip("ab", ports, strict=True)
    )
    netlist = replace(netlist, memories=memories)
    assert analyse_timing(netlist, library, [at["clk"]]).untimed == ("f", "a")


def test_what_is_refused(library: Library, tmp_path: Path) -> None:
    loop = build({"i": ("INV", {"A": "a", "Y": "b"}), "j": ("INV", {"A": "b", "Y": "a"})})
    with pytest.raises(NetlistError, match=r"net [ab] lies on a loop of gates"):
        analyse_timing(loop, library)
    with pytest.raises(ParameterError, match=r"setup_s must be 0 s or more, not -1.0"):
        analyse_timing(loop, library, options=TimingOptions(setup_s=-1.0))
    plain = build({"i": ("INV", {"A": "a", "Y": "b"})}, inputs=("a",), outputs=("b",))
    with pytest.raises(LibraryError, match="library small has no delays"):
        analyse_timing(plain, read(tmp_path))


def test_opensta_on_every_end() -> None:
    """Its worst path is by slack, with setup: the arrival is that of either edge of the pin."""
    library = read_liberty(OSU)
    netlist = read_netlist(CASE / "array2x2_osu018.v", library, top="sa")
    timing = analyse_timing(netlist, library)
    lines = (CASE / "opensta_timing.txt").read_text().splitlines()
    said = {name: float(arrival) for name, _, arrival in map(str.split, lines[1:])}
    nets = {f"{i.name}/D": i.pins["D"] for i in netlist.instances if "D" in i.pins}
    nets |= {f"p_{bit}": net for bit, net in enumerate(netlist.ports["p"].nets)}
    assert len(timing.ends) == len(said) == 82
    for name, arrival in said.items():
        ours = timing.arrival[0, nets[name]] / NANO
        assert np.abs(ours - arrival).min() < 1e-6, name  # OpenSTA computes in single precision
    assert timing.period_s == pytest.approx(max(said.values()) * NANO, rel=1e-6, abs=0)


ADDER = """module full(input a, b, c, output s, d);
assign s = a ^ b ^ c;
assign d = (a & b) | (c & (a ^ b));
endmodule
module dut(input [15:0] a, b, input c, output [16:0] s);
wire [16:0] k;
assign k[0] = c, s[16] = k[16];
genvar i;
for (i = 0; i < 16; i = i + 1) full f (.a(a[i]), .b(b[i]), .c(k[i]), .s(s[i]), .d(k[i + 1]));
endmodule
"""
STEP = 20_000_000
"""fs between vectors."""


def test_no_transition_comes_later(tmp_path: Path) -> None:
    """A ripple-carry adder with its delays in Icarus; the whole carry chain takes what it says."""
    path = default_library_path()
    library = read_liberty(path)
    netlist = read_netlist(synthesise(ADDER, "dut", path).netlist, library, top="dut")
    timing = analyse_timing(netlist, library, options=TimingOptions(lumped=True))
    assert analyse_timing(netlist, library).period_s < timing.period_s
    ports = [*netlist.ports["a"].nets, *netlist.ports["b"].nets, *netlist.ports["c"].nets]
    driven = {net: bit for bit, net in enumerate(ports)}
    delays = np.rint(timing.delays / FEMTO).astype(np.int64)
    gates = gates_verilog(netlist, library, delays, driven, {}, 0)
    random, ones = Random(5), (1 << 16) - 1
    vectors = [ones, ones | 1 << 32, ones, 1 << 32 | ones << 16, ones << 16, 0, 1 | ones << 16]
    vectors += [random.getrandbits(33) for _ in range(300)]
    bench = ["`timescale 1fs/1fs", "module tb;", "  reg [32:0] v;", "  gates dut (v);"]
    bench += ["  initial begin", '    $dumpfile("all.vcd"); $dumpvars(1, dut);']
    bench += [f"    v = {vector}; #{STEP};" for vector in vectors]
    models = verilog_models(library, [instance.type for instance in netlist.instances])
    simulate(["\n".join([*bench, "  end", "endmodule", ""]), gates, models], tmp_path)
    trace, latest, worst = read_trace(tmp_path / "all.vcd", "tb.dut"), 0.0, 0
    for net in range(2, len(netlist.names)):
        for time, value in trace.changes[f"n{net}"]:
            if time >= STEP:  # the first vector comes to unknown nets
                late = time % STEP
                limit = timing.arrival[0, net, 0 if value == "1" else 1] / FEMTO
                assert late <= limit + 100, (netlist.names[net][0], time, value)
                latest, worst = max(latest, late), worst + 1
    assert worst > 20_000
    assert latest * FEMTO == pytest.approx(timing.period_s, rel=1e-4, abs=0)


def test_the_shipped_core_meets_its_clock() -> None:
    """100 MHz is what the ledger quotes."""
    path = default_library_path()
    program = map_network(load_digits()[0], lanes=8)
    result = synthesise(export(NeuroCore(program.params), "neuro"), "neuro", path)
    library = read_liberty(path)
    timing = analyse_timing(
        read_netlist(result.netlist, library, top="neuro"),
        library,
        options=TimingOptions(setup_s=30e-12),
    )
    assert 1e-9 < timing.period_s < 5e-9
    assert timing.untimed == ()
    kinds = {(end.kind, end.half) for end in timing.ends}
    assert {("flip-flop", True), ("clock gate", True), ("memory", False)} <= kinds
    report = timing.report(3).to_json()
    assert from_json(report, TimingReport) == timing.report(3)
    assert len(report["ends"]) == 3
    assert report["path"][-1]["net"] == timing.ends[0].net
    periods = [end.period_s for end in timing.ends]
    assert periods == sorted(periods, reverse=True)
