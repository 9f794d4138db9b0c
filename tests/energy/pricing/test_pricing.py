"""Prices worked out by hand, on the library of ``small_library`` (2 V, fF, ns, fJ, nW)."""

import random
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from spikewatt.energy.pricing.options import NO_WIRES, PricingOptions, Wires
from spikewatt.energy.pricing.prices import GROUPS, Prices, compute_prices
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Instance, Netlist, Port
from tests.energy.small_library import FEMTO, NANO, build, read
from tests.synth.liberty_files import near

Activity = Mapping[str, tuple[float, float]]
"""Toggles and share of time at 1 of each net."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return read(tmp_path_factory.mktemp("library"))


def priced(
    netlist: Netlist,
    library: Library,
    activity: Activity,
    clocks: tuple[str, ...] = (),
    voltage: float | None = None,
    wires: Wires = NO_WIRES,
) -> Prices:
    toggles, duty = np.zeros(len(netlist.names), np.int64), np.zeros(len(netlist.names))
    for at, (name,) in enumerate(netlist.names):
        toggles[at], duty[at] = activity.get(name, (0, 0))
    roots = [net(netlist, name) for name in clocks]
    return compute_prices(
        netlist, library, toggles, duty, roots, PricingOptions(voltage=voltage, wires=wires)
    )


def net(netlist: Netlist, name: str) -> int:
    return netlist.names.index((name,))


def internal(netlist: Netlist, prices: Prices, instance: str, on: str) -> float:
    """FJ of an instance for each toggle of a net."""
    at = [one.name for one in netlist.instances].index(instance)
    chosen = (prices.internal_instance == at) & (prices.internal_net == net(netlist, on))
    return float(prices.internal[chosen].sum()) / FEMTO


INVERTERS = build(
    {"u": ("INV", {"A": "a", "Y": "n"}), "v": ("INV", {"A": "n", "Y": "y"})}, ["a"], ["y"]
)


def test_two_inverters(library: Library) -> None:
    """Each edge's slew comes from the other edge's, into that edge's own capacitance."""
    found = priced(INVERTERS, library, {"a": (4, 0.25), "n": (4, 0.75), "y": (4, 0.25)})
    a, n, y = (net(INVERTERS, name) for name in "any")
    # An inverter's input is 2 fF to a rising edge, 3 fF to a falling one: the larger counts.
    assert found.load[[a, n, y]] == near([3 * FEMTO, 3 * FEMTO, 0])
    assert found.switching[[a, n, y]] == near([3 / 2 * 2**2 * FEMTO, 3 / 2 * 2**2 * FEMTO, 0])
    rise_n, fall_n = 0.1 + 0.02 * 2, 0.2 + 0.01 * 3  # ns; a's slews are 0
    rise_y, fall_y = 0.1 + 0.5 * fall_n, 0.2 + 0.25 * rise_n
    assert found.slew[a] == near([0, 0])
    assert found.slew[n] / NANO == near([rise_n, fall_n])
    assert found.slew[y] / NANO == near([rise_y, fall_y])
    first = ((1 + 0.1 * 3) + (3 + 0.2 * 3)) / 2  # slew 0, load 3 fF for both edges
    second = ((1 + 2 * fall_n) + (3 + 4 * rise_n)) / 2  # no load
    assert internal(INVERTERS, found, "u", "n") == near(first)
    assert internal(INVERTERS, found, "v", "y") == near(second)
    assert found.driver.tolist() == [-3, -3, -1, 1, 0]


def test_a_buffer_keeps_the_edge(library: Library) -> None:
    netlist = build({"u": ("INV", {"A": "a", "Y": "n"}), "v": ("BUF", {"A": "n", "Y": "y"})}, ["a"])
    found = priced(netlist, library, {"a": (4, 0.5), "n": (4, 0.5), "y": (4, 0.5)})
    rise_n, fall_n = 0.1 + 0.02 * 5, 0.2 + 0.01 * 1
    assert found.slew[net(netlist, "y")] / NANO == near([0.1 + 0.5 * rise_n, 0.2 + 0.25 * fall_n])
    energy = ((1 + 2 * rise_n) + (3 + 4 * fall_n)) / 2
    assert internal(netlist, found, "v", "y") == near(energy)


def test_a_non_unate_gate_takes_the_slower_edge_of_the_slower_pin(library: Library) -> None:
    gates = {"u": ("INV", {"A": "a", "Y": "n"}), "x": ("XOR", {"A": "n", "B": "b", "Y": "y"})}
    netlist = build(gates, ["a", "b"])
    found = priced(netlist, library, {})
    slow = 0.2 + 0.01 * 1  # n falls into 1 fF; it rises in 0.1 + 0.02 × 1
    assert found.slew[net(netlist, "y")] / NANO == near([0.5 + slow, 0.25 + slow])
    flipped = {**gates, "x": ("XOR", {"A": "b", "B": "n", "Y": "y"})}
    netlist = build(flipped, ["a", "b"])
    found = priced(netlist, library, {})
    assert found.slew[net(netlist, "y")] / NANO == near([0.5, max(0.25, 0.125 + slow)])


NAND = build({"g": ("NAND", {"A": "a", "B": "b", "Y": "y"})}, ["a", "b"], ["y"])


def test_an_output_is_shared_by_who_decides_it(library: Library) -> None:
    """!(A B): A decides while B is 1, and the other way round."""
    found = priced(NAND, library, {"a": (10, 0.25), "b": (6, 0.5), "y": (5, 0.875)})
    a, b = 10 * 0.5, 6 * 0.25
    assert internal(NAND, found, "g", "y") == near((a * (2 + 4) / 2 + b * (6 + 8) / 2) / (a + b))
    only_a = priced(NAND, library, {"a": (10, 0.5), "b": (0, 1), "y": (10, 0.5)})
    assert internal(NAND, only_a, "g", "y") == near(3)
    nobody = priced(NAND, library, {"a": (10, 0.5), "b": (0, 0), "y": (0, 1)})
    assert internal(NAND, nobody, "g", "y") == 0


def test_the_toggles_of_the_output_do_not_change_its_price(library: Library) -> None:
    """Linear: a price is per toggle."""
    inputs = {"a": (10, 0.25), "b": (6, 0.5)}
    one, many = (priced(NAND, library, {**inputs, "y": (n, 0.5)}) for n in (1, 1000))
    np.testing.assert_array_equal(one.internal, many.internal)


def test_a_net_on_two_pins_of_one_gate(library: Library) -> None:
    """Its load is the larger sum, 4 + 1 rising against 1 + 3 falling, not the sum of the larger."""
    netlist = build({"g": ("NAND", {"A": "a", "B": "a", "Y": "y"})}, ["a"], ["y"])
    found = priced(netlist, library, {"a": (8, 0.5), "y": (8, 0.5)})
    assert found.load[net(netlist, "a")] == near(5 * FEMTO)
    assert internal(netlist, found, "g", "y") == near((3 + 7) / 2)


def test_constant_pins(library: Library) -> None:
    """A pin at 1 lets the other decide; it never toggles, and no capacitance of it is paid for."""
    netlist = build({"g": ("NAND", {"A": "1", "B": "b", "Y": "y"})}, ["b"], ["y"])
    found = priced(netlist, library, {"b": (8, 0.5), "y": (8, 0.5)})
    assert internal(netlist, found, "g", "y") == near(7)
    # A at 1 half of the time with B: 10 nW; else the cell's own 20 nW.
    assert found.leakage == near([(0.5 * 10 + 0.5 * 20) * NANO])
    netlist = build({"g": ("NAND", {"A": "0", "B": "b", "Y": "y"})}, ["b"], ["y"])
    found = priced(netlist, library, {"b": (8, 0.5)})
    assert internal(netlist, found, "g", "y") == 0
    assert found.leakage == near([5 * NANO])


def test_a_gate_without_inputs(library: Library) -> None:
    netlist = build({"t": ("TIE", {"Y": "n"}), "u": ("INV", {"A": "n", "Y": "y"})})
    found = priced(netlist, library, {"n": (0, 1)})
    assert found.leakage == near([3 * NANO, 8 * NANO])
    assert internal(netlist, found, "u", "y") == 0


def test_leakage_by_state(library: Library) -> None:
    found = priced(NAND, library, {"a": (2, 0.25), "b": (2, 0.5)})
    # A B: 10 nW; !A: 5 nW; the rest, A !B: the cell's own 20 nW.
    assert found.leakage == near([(0.125 * 10 + 0.75 * 5 + 0.125 * 20) * NANO])
    # A state of 0 nW counts as unsaid, as in OpenSTA: 0.75 × 4 + 0.25 × 8.
    found = priced(INVERTERS, library, {"a": (2, 0.25), "n": (2, 0.75)})
    assert found.leakage == near([5 * NANO, (0.25 * 4 + 0.75 * 8) * NANO])
    netlist = build({"b": ("BUF", {"A": "a", "Y": "y"})}, ["a"])
    assert priced(netlist, library, {}).leakage == near([6 * NANO])  # unconditional, not the cell's


def test_internal_energy_of_inputs(library: Library) -> None:
    netlist = build({"g": ("AND", {"A": "a", "B": "b", "Y": "y"})}, ["a", "b"])
    found = priced(netlist, library, {"a": (2, 0.25), "b": (2, 0.75), "y": (2, 0.1875)})
    assert internal(netlist, found, "g", "a") == near(0.75 * 8 + 0.25 * 1)
    # `when` names the output, which A and B make: the probability that B decides it, A = 1.
    assert internal(netlist, found, "g", "b") == near(0.25 * 16)


def test_a_missing_table_is_no_energy(library: Library) -> None:
    """Of two toggles only one has a table: half of it for each."""
    netlist = build({"r": ("RISE", {"A": "a", "Y": "y"}), "l": ("LONE", {"A": "a", "Y": "z"})}, "a")
    found = priced(netlist, library, {"a": (2, 0.5)})
    assert internal(netlist, found, "r", "y") == near(3)
    assert internal(netlist, found, "l", "z") == near((6 + 2) / 2)  # no related pin


CLOCKED = build(
    {
        "u": ("INV", {"A": "a", "Y": "d"}),
        "c": ("BUF", {"A": "clk", "Y": "k"}),
        "f": ("DFF", {"D": "d", "CK": "k", "Q": "q"}),
        "g": ("GATE", {"CK": "clk", "E": "q", "GCK": "w"}),
        "h": ("DFF", {"D": "q", "CK": "w", "Q": "z"}),
    },
    ["clk", "a"],
    ["z"],
)
CLOCKED_ACTIVITY = {"clk": (20, 0.5), "k": (20, 0.5), "w": (8, 0.2), "a": (4, 0.5), "d": (4, 0.5)}


def test_the_clock_network_is_ideal(library: Library) -> None:
    found = priced(CLOCKED, library, CLOCKED_ACTIVITY, ("clk",))
    named = {CLOCKED.names[n][0] for n in np.flatnonzero(found.clock_net)}
    assert named == {"clk", "k", "w"}
    assert not found.slew[found.clock_net].any()
    groups = {c.name: GROUPS[k] for c, k in zip(CLOCKED.instances, found.group, strict=True)}
    assert groups == {
        "u": "combinational",
        "c": "clock",
        "g": "clock",
        "f": "sequential",
        "h": "sequential",
    }
    # Clock pins at slew 0; D at the inverter's slews (rise 0.1 + 0.02 × 2, fall 0.2 + 0.01 × 2).
    assert internal(CLOCKED, found, "f", "k") == near((9 + 5) / 2)
    assert internal(CLOCKED, found, "f", "d") == near((1 + 10 * 0.14 + 3 + 10 * 0.22) / 2)
    assert internal(CLOCKED, found, "f", "q") == near((10 + 14) / 2)
    assert found.slew[net(CLOCKED, "q")] / NANO == near([0.3, 0.4])
    assert internal(CLOCKED, found, "h", "q") == near((1 + 10 * 0.3 + 3 + 10 * 0.4) / 2)
    assert internal(CLOCKED, found, "g", "w") == near(11)


def test_without_a_root_the_clock_is_a_net_like_others(library: Library) -> None:
    found = priced(CLOCKED, library, CLOCKED_ACTIVITY)
    assert not found.clock_net.any()
    rise, fall = 0.1 + 0.02 * 4, 0.2 + 0.01 * 4  # k, by the buffer into one clock pin
    assert found.slew[net(CLOCKED, "k")] / NANO == near([rise, fall])
    assert internal(CLOCKED, found, "f", "k") == near((9 + 7 * rise + 5 + 7 * fall) / 2)
    assert found.slew[net(CLOCKED, "q")] / NANO == near([0.3 + rise, 0.4 + rise])
    groups = [GROUPS[k] for k in found.group]
    assert groups == ["combinational", "combinational", "sequential", "sequential", "sequential"]


def test_an_output_of_a_flip_flop_by_the_toggles_of_clock_and_clear(library: Library) -> None:
    pins = {"D": "d", "CK": "clk", "R": "r", "Q": "q"}
    netlist = build({"f": ("DFFR", pins)}, ["clk", "d", "r"])
    activity = {"clk": (20, 0.5), "r": (5, 0.1), "d": (4, 0.25), "q": (4, 0.5)}
    found = priced(netlist, library, activity, ("clk",))
    clk, r = 20 * 0.25, 5 * 0.5  # the clock's holds while D does; of the clear nothing is said
    assert internal(netlist, found, "f", "q") == near((clk * 10 + r * 50) / (clk + r))


def test_a_gate_that_feeds_clock_and_data_is_not_the_clocks(library: Library) -> None:
    """OpenSTA: an instance is in the clock network if all its connected outputs are."""

    def group(**pins: str) -> str:
        netlist = build({"h": ("HALF", pins)}, ["clk", "d"])
        return GROUPS[priced(netlist, library, {}, ("clk",)).group[0]]

    assert group(A="d", B="clk", S="s", C="c") == "clock"  # S = A ^ B, C = B
    assert group(A="clk", B="d", S="s", C="c") == "combinational"
    assert group(A="clk", B="d", S="s") == "clock"
    assert group(A="d", B="d", S="s", C="c") == "combinational"


def test_unconnected_pins(library: Library) -> None:
    """QN is left open, B hangs on a net that nothing drives: neither costs, neither breaks."""
    netlist = build(
        {
            "f": ("DFF", {"D": "d", "CK": "clk", "Q": "q"}),
            "g": ("NAND", {"A": "q", "B": "open", "Y": "y"}),
            "e": ("DFF", {"CK": "clk", "QN": "n"}),
        },
        ["clk", "d"],
    )
    found = priced(netlist, library, {"clk": (20, 0.5), "q": (5, 0.5)}, ("clk",))
    assert internal(netlist, found, "f", "q") == near(12)
    assert internal(netlist, found, "g", "y") == 0
    assert internal(netlist, found, "e", "n") == near(1)
    assert found.driver[net(netlist, "open")] == -3
    assert found.leakage == near([30 * NANO, (0.5 * 5 + 0.5 * 20) * NANO, 30 * NANO])
    assert (found.internal_net[found.internal > 0] >= 0).all()


def test_voltage(library: Library) -> None:
    full, half = (priced(CLOCKED, library, CLOCKED_ACTIVITY, voltage=v) for v in (None, 1.0))
    assert library.voltage == 2
    assert half.switching == near(full.switching / 4)
    np.testing.assert_array_equal(half.internal, full.internal)
    np.testing.assert_array_equal(half.leakage, full.leakage)


def test_wires(library: Library) -> None:
    """A capacitance for each sink, another in the clock network; slews and tables see it too."""
    wires = Wires(per_sink=2 * FEMTO, clock_per_sink=7 * FEMTO)
    plain = priced(CLOCKED, library, CLOCKED_ACTIVITY, ("clk",))
    found = priced(CLOCKED, library, CLOCKED_ACTIVITY, ("clk",), wires=wires)
    more = {"clk": 2 * 7, "k": 7, "w": 7, "a": 2, "d": 2, "q": 2 * 2, "z": 0}
    for name, load in more.items():
        at = net(CLOCKED, name)
        assert found.load[at] - plain.load[at] == near(load * FEMTO), name
    assert found.slew[net(CLOCKED, "d")] / NANO == near([0.1 + 0.02 * 4, 0.2 + 0.01 * 4])


@pytest.mark.parametrize("seed", range(3))
def test_names_and_order_do_not_matter(library: Library, seed: int) -> None:
    source = random.Random(seed)
    order = list(range(2, len(CLOCKED.names)))
    source.shuffle(order)
    to = dict(zip(range(len(CLOCKED.names)), [0, 1, *order], strict=True))
    back = {new: old for old, new in to.items()}
    instances = [
        Instance(f"x{one.name}", one.type, one.module, {p: to[n] for p, n in one.pins.items()})
        for one in CLOCKED.instances
    ]
    source.shuffle(instances)
    ports = {
        name: Port(port.direction, tuple(to[n] for n in port.nets))
        for name, port in reversed(list(CLOCKED.ports.items()))
    }
    names = tuple(CLOCKED.names[back[n]] for n in range(len(to)))
    shuffled = replace(CLOCKED, instances=tuple(instances), ports=ports, names=names)
    plain = priced(CLOCKED, library, CLOCKED_ACTIVITY, ("clk",))
    found = priced(shuffled, library, CLOCKED_ACTIVITY, ("clk",))
    for name in (name for (name,) in CLOCKED.names):
        one, other = net(CLOCKED, name), net(shuffled, name)
        assert found.switching[other] == plain.switching[one]
        assert (found.slew[other] == plain.slew[one]).all()
        for instance in CLOCKED.instances:
            before = internal(CLOCKED, plain, instance.name, name)
            assert internal(shuffled, found, f"x{instance.name}", name) == before
    leakage = {one.name: watts for one, watts in zip(instances, found.leakage, strict=True)}
    for one, watts in zip(CLOCKED.instances, plain.leakage, strict=True):
        assert leakage[f"x{one.name}"] == watts
