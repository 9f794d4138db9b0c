"""Three-state buses, banks of flip-flops and black boxes, replayed."""

from pathlib import Path
from random import Random

import pytest

from spikewatt.energy.activity.activity import Activity, Origin
from spikewatt.energy.activity.replay import replay_waveform
from spikewatt.energy.pricing.priced_activity import price_activity
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from tests.energy.activity.test_toggles import compare
from tests.energy.circuits import Circuit, bench
from tests.energy.event_driven import read_trace, simulate
from tests.energy.small_waves import write_vcd
from tests.synth.json_netlists import named
from tests.synth.liberty_files import near

LIBRARY = """library (shared) { nom_voltage : 1; capacitive_load_unit (1, ff); time_unit : "1ns";
  voltage_unit : "1V"; leakage_power_unit : "1nW";
  type (nibble) { base_type : array; data_type : bit; bit_width : 4; bit_from : 3; bit_to : 0; }
  cell (NOT) { pin (A) { direction : input; capacitance : 2; }
    pin (Y) { direction : output; function : "!A"; } }
  cell (AND) { pin (A) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "A B"; } }
  cell (FLOATS) { cell_leakage_power : 1; pin (A) { direction : input; }
    pin (E) { direction : input; }
    pin (Y) { direction : output; function : "!A"; three_state : "!E";
      timing () { related_pin : "A"; timing_sense : negative_unate; }
      internal_power () { related_pin : "A"; power (scalar) { values ("8"); } } } }
  cell (BANK) { ff_bank (IQ, IQN, 4) { next_state : "(SE SI) | (!SE D)"; clocked_on : "CK";
      clear : "!RN"; }
    bus (D) { bus_type : nibble; direction : input; } pin (CK) { direction : input; clock : true; }
    pin (RN) { direction : input; } pin (SE) { direction : input; }
    bundle (SI) { members (S3, S2, S1, S0); direction : input; }
    bus (Q) { bus_type : nibble; direction : output; function : "IQ"; }
    bus (QN) { bus_type : nibble; direction : output; function : "IQN"; } }
}"""
BANKS = Circuit(
    "banks",
    """module dut (input clk, rn, se, s, input [3:0] d, output [3:0] q, y, output z);
wire [3:0] n, m;
BANK a (.D(d), .CK(clk), .RN(rn), .SE(se), .S3(n[0]), .S2(s), .S1(q[2]), .S0(q[3]), .Q(q),
  .QN(n));
BANK b (.D(n), .CK(clk), .RN(rn), .SE(1'b0), .S3(s), .S2(s), .S1(s), .S0(s), .QN(m));
NOT g0 (m[0], y[0]); NOT g1 (m[1], y[1]); NOT g2 (m[2], y[2]); NOT g3 (m[3], y[3]);
AND g4 (q[0], n[1], z);
endmodule
""",
    {"se": 1, "s": 1, "d": 4},
    {"q": 4, "y": 4, "z": 1},
    resets={"rn": 1},
)
BUS = Circuit(
    "bus",
    """module dut (input clk, e, input [1:0] d, output y);
wire f, shared;
NOT n (e, f); FLOATS u (d[0], e, shared); FLOATS v (d[1], f, shared); NOT w (shared, y);
endmodule
""",
    {"e": 1, "d": 2},
    {"y": 1},
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    path = tmp_path_factory.mktemp("shared") / "shared.lib"
    path.write_text(LIBRARY)
    return read_liberty(path)


def read(folder: Path, library: Library, verilog: str) -> Netlist:
    (folder / "dut.v").write_text(verilog)
    return read_netlist(folder / "dut.v", library, top="dut")


@pytest.mark.parametrize("circuit", [BANKS, BUS], ids=lambda circuit: circuit.name)
def test_as_the_models_of_the_cells(circuit: Circuit, library: Library, tmp_path: Path) -> None:
    """Icarus runs the same netlist, on Verilog that was made of the same library."""
    simulate(
        [bench(circuit, "all.vcd"), circuit.verilog, verilog_models(library)],
        tmp_path,
    )
    netlist = read(tmp_path, library, circuit.verilog)
    activity = replay_waveform(netlist, library, tmp_path / "all.vcd", "tb.dut")
    judge = read_trace(tmp_path / "all.vcd", "tb.dut")
    assert len(compare(netlist, judge, activity)) == len(netlist.names) - 2
    assert activity.matched == 8 * (circuit is BANKS)


def by_hand(folder: Path, library: Library, verilog: str, **bits: str) -> tuple[Netlist, Activity]:
    """A netlist, and its replay from inputs of a sample each nanosecond."""
    signals = {f"t.{name}": (1, list(enumerate(values))) for name, values in bits.items()}
    path = write_vcd(folder / "a.vcd", signals, end=len(next(iter(bits.values()))))
    netlist = read(folder, library, verilog)
    return netlist, replay_waveform(netlist, library, path, "t")


def test_a_net_that_nobody_drives_holds_its_value(library: Library, tmp_path: Path) -> None:
    text = "module dut (input a, e, output y); FLOATS u (a, e, y); endmodule"
    netlist, activity = by_hand(tmp_path, library, text, a="0101101", e="1100011")
    # Y is !A while E: 1 0 - - - 1 0
    y = named(netlist, "y")
    assert (activity.totals[y], round(activity.high_s[y] * 1e9)) == (3, 2)
    assert activity.origins[y] == Origin.REPLAYED


def test_of_drivers_that_disagree_a_1_wins(library: Library, tmp_path: Path) -> None:
    text = "module dut (input a, b, e, f, output y); FLOATS u (a, e, y); FLOATS v (b, f, y);"
    noise = Random(1)
    rows = {name: "".join(noise.choice("01") for _ in range(80)) for name in "abef"}
    netlist, activity = by_hand(tmp_path, library, f"{text} endmodule", **rows)
    value, toggles, high = 0, 0, 0
    for at, (a, b, e, f) in enumerate(zip(*(map(int, rows[name]) for name in "abef"), strict=True)):
        before, value = value, int((e and not a) or (f and not b)) if e or f else value
        toggles += at > 0 and before != value
        high += value
    y = named(netlist, "y")
    assert (activity.totals[y], round(activity.high_s[y] * 1e9)) == (toggles, high)


def test_drivers_share_the_toggles_of_their_net(library: Library, tmp_path: Path) -> None:
    text = "module dut (input a, b, e, f, output y); FLOATS u (a, e, y); FLOATS v (b, f, y);"
    rows = {"a": "01010101", "b": "10101010", "e": "11111100", "f": "00000011"}
    netlist, activity = by_hand(tmp_path, library, f"{text} endmodule", **rows)
    priced = price_activity(activity, netlist, library)
    toggles = int(activity.totals[named(netlist, "y")])
    internal = {name: energy.internal for name, _, energy in priced.by_cell()}
    assert internal["u"] + internal["v"] == near(toggles * 8e-15)
    assert internal["u"] / internal["v"] == near(3), "6 of the 8 ns"


def test_a_pad_is_the_waveforms_to_tell(library: Library, tmp_path: Path) -> None:
    """What is outside drives it too, while the design does not."""
    text = "module dut (input a, e, inout p, output y); FLOATS u (a, e, p); NOT v (p, y); endmodule"
    netlist, activity = by_hand(tmp_path, library, text, a="0000", e="0000", p="0101")
    pad, y = named(netlist, "p"), named(netlist, "y")
    assert activity.totals[[pad, y]].tolist() == [3, 3]
    assert activity.origins[pad] == Origin.RECORDED


@pytest.mark.parametrize("shown", [True, False])
def test_outputs_of_black_boxes(library: Library, tmp_path: Path, *, shown: bool) -> None:
    text = "module dut (input a, output y); wire n; PLL p (.I(a), .O(n)); NOT v (n, y); endmodule"
    more = {"n": "0110"} if shown else {}
    netlist, activity = by_hand(tmp_path, library, text, a="0101", **more)
    n, y = named(netlist, "n"), named(netlist, "y")
    assert activity.totals[[n, y]].tolist() == ([2, 2] if shown else [0, 0])
    assert activity.origins[n] == (Origin.RECORDED if shown else Origin.ASSUMED)
    assert activity.unmatched == (() if shown else ("n",))
    priced = price_activity(activity, netlist, library)
    assert [name for name, *_ in priced.by_cell()] == ["v"], "a black box takes no power"
