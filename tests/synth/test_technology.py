"""The built-in technology: as generated, as its formulas say, and of the size of published ones."""

from itertools import product
from statistics import mean

import pytest

from spikewatt.synth.liberty.function import parse_function
from spikewatt.synth.liberty.library import Cell, FlipFlop
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.technology.catalogue import gates, sequential_cells
from spikewatt.synth.technology.energy import Analysis
from spikewatt.synth.technology.generate import library_text
from spikewatt.synth.technology.library import default_library_path
from spikewatt.synth.technology.stages import CmosStage
from tests.synth.liberty_files import known, near, osu
from tests.synth.liberty_price import energy_per_operation, map_to

PS, FF, FJ = 1e-12, 1e-15, 1e-15


@pytest.fixture(scope="module")
def library():
    return read_liberty(default_library_path())


def test_the_file_is_what_the_script_writes():
    assert default_library_path().read_text() == library_text(), (
        "run python -m spikewatt.synth.technology.generate"
    )


def test_it_reads_without_a_warning(library):
    assert library.warnings == ()
    assert (library.voltage, library.has_power) == (0.9, True)
    functions = {name.rpartition("_X")[0] or name for name in library.cells}
    assert len(functions) == 33
    for name in functions - {"TIEHI", "TIELO"}:
        weak, strong = library.cells[f"{name}_X1"], library.cells[f"{name}_X2"]
        assert list(weak.pins) == list(strong.pins)
        assert weak.area < strong.area
        assert weak.leakage < strong.leakage


@pytest.mark.parametrize("gate", [g for d in (1, 2) for g in gates(d)], ids=lambda g: g.name)
def test_stages_compute_the_function(gate):
    analysis = Analysis(gate)
    for state in analysis.states():
        nodes = analysis.nodes(state)
        for output, function in gate.outputs.items():
            assert nodes[output] == bool(parse_function(function).evaluate(state, 1)), state


@pytest.mark.parametrize(
    ("network", "efforts", "parasitic"),
    [  # Sutherland, Sproull, Harris, Logical Effort, tables 4.1 and 4.2, in thirds
        ("A", {"A": 3}, 3),
        (("series", "A", "B"), {"A": 4, "B": 4}, 6),
        (("series", "A", "B", "C"), {"A": 5}, 9),
        (("parallel", "A", "B"), {"A": 5, "B": 5}, 6),
        (("parallel", "A", "B", "C"), {"A": 7}, 9),
        (("parallel", ("series", "A", "B"), "C"), {"A": 6, "B": 6, "C": 5}, 7),
        (("parallel", ("series", "A", "B"), ("series", "C", "D")), {"A": 6, "D": 6}, 12),
    ],
)
def test_logical_effort_of_stages(network, efforts, parasitic):
    stage = CmosStage("Y", network)
    for pin, thirds in efforts.items():
        assert stage.capacitance(pin) == near(thirds / 3)
    assert stage.parasitic == near(parasitic / 3)


def test_an_inverter_by_hand(library):
    pin = library.cells["INV_X1"].pins["ZN"]
    arc, energy = pin.timing[0], known(pin.power[0].rise)
    assert library.cells["INV_X1"].pins["A"].capacitance == near(1.2 * FF)
    # Fan-out of four: FO4 = 20 ps, the mean of both edges, and 0.2 of the input slew.
    load = 4 * 1.2 * FF
    rise, fall = (known(t).at(30 * PS, load) for t in (arc.cell_rise, arc.cell_fall))
    assert mean([rise, fall]) == near((20 + 0.2 * 30) * PS, rel=1e-3)
    # ½·C·V² of the inverter's own 1.2 fF, and 12 µW of short circuit for 30 ps over 1 + h / 4,
    # where h = 1 + 4 (bilinear between loads: within a per cent).
    by_hand = 0.5 * 1.2 * 0.81 + 12e-3 * 30 / (1 + 5 / 4)
    assert energy.at(30 * PS, load) == near(by_hand * FJ, rel=0.02)
    # One network leaks at a time: 0.3 µm at 20 nA/µm or 0.6 µm at 10 nA/µm, at 0.9 V.
    assert library.cells["INV_X1"].leakage == near(5.4e-9)


def test_inner_nodes_cost_only_where_they_move(library):
    xor = library.cells["XOR2_X1"].pins["Z"]
    by_state = {str(p.when): known(p.rise).at(0, 0) for p in xor.power if p.related == "A"}
    # The NOR inside moves with A while B is low: size 0.5 · 0.8 (its effort of 5/3 is cut to 4/3)
    # and a parasitic of 2; it feeds 5/3 of the output stage, whose size is 2/3.
    assert set(by_state) == {"B", "!B"}
    extra = 0.5 * (0.5 * 0.8 * 2 + 5 / 3 * 2 / 3) * 1.2 * 0.81
    assert by_state["!B"] - by_state["B"] == near(extra * FJ, rel=0.01)
    # A select that changes nothing at the output still moves its inverter.
    hidden = library.cells["MUX2_X1"].pins["S"].power
    assert [str(p.when) for p in hidden] == ["(!A & !B) | (A & B)"]


def test_stacks_leak_less(library):
    states = library.cells["NAND2_X1"].leakage_states
    leaks = {}
    for a, b in product((0, 1), repeat=2):
        values = {"A1": a, "A2": b}
        leaks[a, b] = sum(s.watts for s in states if known(s.when).evaluate(values, 1))
    assert leaks[0, 0] == near(0.2 * leaks[0, 1])
    assert leaks[0, 1] == leaks[1, 0]
    assert leaks[1, 1] == near(2 * 0.6 * 10 * 0.9e-9), "two p-channels beside each other"
    assert mean(leaks.values()) == near(library.cells["NAND2_X1"].leakage, rel=1e-3)


def test_flip_flops_take_energy_at_every_clock_edge(library):
    clock = library.cells["DFF_X1"].pins["CK"]
    assert clock.power[0].related is None
    # 3.5 unit capacitances of 1.2 fF at 0.9 V, and a little short circuit.
    assert known(clock.power[0].fall).at(0, 0) == near(0.5 * 3.5 * 1.2 * 0.81 * FJ, rel=0.02)


def test_every_keeper_has_its_state(library):
    for drawn in sequential_cells(1):
        cell: Cell = library.cells[f"{drawn.name}_X1"]
        assert cell.sequential is not None
        assert isinstance(cell.sequential, FlipFlop) == (drawn.kind == "ff")
        assert cell.clock_gate == drawn.gate
        assert cell.pins[drawn.output].power


BLOCKS = {  # pJ: Horowitz, ISSCC 2014, 45 nm, 0.9 V
    "module top(input [7:0] a, b, output [7:0] y); assign y = a + b; endmodule": 0.03,
    "module top(input [31:0] a, b, output [31:0] y); assign y = a + b; endmodule": 0.1,
    "module top(input [7:0] a, b, output [15:0] y); assign y = a * b; endmodule": 0.2,
}


@pytest.mark.parametrize("verilog", BLOCKS, ids=["add8", "add32", "mul8"])
def test_arithmetic_costs_what_is_published(library, verilog):
    module = map_to(default_library_path(), verilog)
    energy = energy_per_operation(library, module, operations=1000, seed=1)
    assert 0.5 < energy * 1e12 / BLOCKS[verilog] < 2, energy


def test_an_older_library_agrees_after_scaling(library):
    """OSU 0.18 µm at 1.8 V, scaled by Stillmaker and Baas (2017): 24.64·V − 17.98 over
    1.018·V² − 0.3107·V + 0.1539 at 0.9 V.
    """
    path, verilog = osu("018"), next(iter(BLOCKS))
    old = energy_per_operation(read_liberty(path), map_to(path, verilog), 1000, 1)
    scale = (24.64 * 1.8 - 17.98) / (1.018 * 0.81 - 0.3107 * 0.9 + 0.1539)
    new = energy_per_operation(library, map_to(default_library_path(), verilog), 1000, 1)
    assert 0.5 < new / (old / scale) < 2


def test_yosys_finds_every_kind_of_cell():
    verilog = """
    module top(input clk, rn, en, input [7:0] d, output reg [7:0] q, r, output reg n, s);
      always @(posedge clk) if (en) q <= d;
      always @(posedge clk or negedge rn) if (!rn) r <= 0; else r <= r + d;
      always @(posedge clk or negedge rn) if (!rn) s <= 1; else s <= d[0];
      always @(negedge clk) n <= d[0];
    endmodule"""
    module = map_to(default_library_path(), verilog)
    types = {cell["type"].rpartition("_X")[0] for cell in module["cells"].values()}
    assert {"DFF", "DFFR", "DFFS", "DFFN", "ICGP"} <= types
    assert not [cell for cell in module["cells"].values() if cell["type"].startswith("$")]
