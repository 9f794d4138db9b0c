"""One array of joules: every view of it has the same sum, and the sum is what the prices say."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from spikewatt.energy.activity.activity import Activity, Origin
from spikewatt.energy.activity.replay import ReplayOptions
from spikewatt.energy.pricing.ledger import CATEGORIES, TERMS, category_of
from spikewatt.energy.pricing.options import Clock, PricingOptions, sram_for
from spikewatt.energy.pricing.priced_activity import PricedActivity, price_activity, price_waveform
from spikewatt.energy.pricing.prices import GROUPS
from spikewatt.energy.pricing.sram import SramModel
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import Memory, MemoryPort, Netlist
from tests.energy.small_designs import CIRCUIT, PERIOD_S, Small, make
from tests.energy.small_library import FEMTO, NANO, build, read
from tests.synth.liberty_files import near

SAME = 1e-9


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return make(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module", params=["waveform's clock", "ideal clock"])
def result(request: pytest.FixtureRequest, small: Small) -> PricedActivity:
    clock = Clock("clk", PERIOD_S) if request.param == "ideal clock" else None
    return price_waveform(
        small.prepared(),
        small.library,
        PricingOptions(clock=clock),
        replaying=ReplayOptions(borders=[2e-7, 5.55e-7, 1e-6]),
    )


def by_module(one: PricedActivity) -> float:
    return sum(one.ledger.by_module().values())


def by_group(one: PricedActivity) -> float:
    return sum(parts.total for parts in one.ledger.by_group().values()) + one.ledger.ports


def by_term(one: PricedActivity) -> float:
    found = one.ledger.instances()
    assert found.total == near(found.switching + found.internal + found.leakage, SAME)
    return found.total + one.ledger.ports


def by_category(one: PricedActivity) -> float:
    found = one.ledger.by_category(category_of({"add": "datapath"}))
    assert tuple(found) == tuple(name for name in CATEGORIES if name != "router")
    assert all(joules > 0 for joules in found.values())
    return sum(found.values())


def by_category_of_a_router(one: PricedActivity) -> float:
    """A router's part is all that its modules take but leakage, the clock's pins too."""
    found = one.ledger.by_category(category_of({"add": "router"}))
    assert tuple(found) == CATEGORIES
    plain = one.ledger.by_category(category_of({"add": "datapath"}))
    own = [k for k, module in enumerate(one.ledger.modules) if module.split(".")[0] == "add"]
    dynamic = [k for k, term in enumerate(TERMS) if term != "leakage"]
    assert found["router"] == near(one.ledger.joules[:, own][..., dynamic].sum(), SAME)
    assert found["router"] >= plain["datapath"] > 0 == found["datapath"]
    assert found["leakage"] == plain["leakage"]
    return sum(found.values())


def by_block(one: PricedActivity) -> float:
    assert len(one.ledger.blocks()) == 4
    return float(one.ledger.blocks().sum())


def memories(one: PricedActivity) -> float:
    macro = one.ledger.by_group()["macro"].total
    assert macro > 0
    return macro


def by_cell(one: PricedActivity) -> float:
    cells = [parts for _, _, parts in one.by_cell()]
    for parts in cells:
        assert parts.total == near(parts.switching + parts.internal + parts.leakage)
    return sum(parts.total for parts in cells) + one.ledger.ports + memories(one)


def by_net(one: PricedActivity) -> float:
    """Nets have the switching; the rest is the instances', and the memories'."""
    cells = sum(parts.internal + parts.leakage for _, _, parts in one.by_cell())
    macro = one.ledger.by_group()["macro"]
    return sum(j for _, _, j in one.by_net()) + cells + macro.internal + macro.leakage


VIEWS = [
    by_module,
    by_group,
    by_term,
    by_category,
    by_category_of_a_router,
    by_block,
    by_cell,
    by_net,
]


@pytest.mark.parametrize("view", VIEWS)
def test_views_have_one_sum(
    result: PricedActivity, view: Callable[[PricedActivity], float]
) -> None:
    assert view(result) == near(result.ledger.total, SAME)


def test_watts_are_the_joules_over_the_window(result: PricedActivity) -> None:
    report = result.to_json()
    assert report["duration_s"] == near(CIRCUIT.steps * 10e-9 + 2.2e-9 - 60.5e-9, SAME)
    for term, watts in report["power_w"].items():
        assert watts * report["duration_s"] == near(report["energy_j"][term], SAME)
        groups = sum(parts[term] for parts in report["groups"].values())
        assert groups == near(watts, SAME)
    everything = (report["power_w"]["total"] + report["port_nets_w"]) * report["duration_s"]
    assert everything == near(report["total_j"], SAME)
    assert report["nets"] == len(result.by_net())
    assert report["toggles"] == sum(toggles for _, toggles, _ in result.by_net())


@pytest.mark.parametrize("ideal", [False, True])
def test_cycles_add_up(small: Small, ideal: bool) -> None:
    prepared = small.prepared()
    clock = Clock("clk", PERIOD_S) if ideal else None
    one = price_waveform(prepared, small.library, PricingOptions(clock=clock))
    edges = one.cycle_edges(prepared)
    assert len(edges) - 1 == 145  # from 60.5 ns to 1502.2 ns, cut before 65 ns, 75 ns, … 1495 ns
    assert np.diff(edges)[1:-1] == near(PERIOD_S, SAME)
    joules = one.per_cycle(prepared, edges)
    assert joules.min() >= 0
    clock_pins = joules[:, :, TERMS.index("clock_pins")].sum(1)
    if not ideal:  # an edge is in the cycle that it begins
        assert clock_pins[0] == 0
    assert (clock_pins[1:] > 0).all()
    assert joules.sum() == near(one.ledger.total, SAME)
    assert joules.sum(0) == near(one.ledger.joules.sum((0, 1)), SAME)


def test_cycles_of_a_window_add_up_too(small: Small) -> None:
    prepared = small.prepared()
    one = price_waveform(prepared, small.library, replaying=ReplayOptions(window=(303e-9, 707e-9)))
    edges = one.cycle_edges(prepared)
    assert (edges[0], edges[-1]) == near((303e-9, 707e-9), SAME)
    assert len(edges) - 1 == 42  # cut before 305 ns, 315 ns, … 705 ns
    assert one.per_cycle(prepared, edges).sum() == near(one.ledger.total, SAME)


def test_module_of_each_instance(result: PricedActivity) -> None:
    """What the cells of ``add`` take is what the ledger says of it."""
    inside = sum(parts.total for name, _, parts in result.by_cell() if name.startswith("add."))
    assert result.ledger.by_module()["add"] == near(inside, SAME)
    assert set(result.ledger.by_module()) == {"", "add"}


def test_clock_gates_are_the_clocks(result: PricedActivity) -> None:
    cells = zip(result.netlist.instances, result.prices.group, strict=True)
    gates = [GROUPS[group] for one, group in cells if result.library.cells[one.type].clock_gate]
    assert gates == ["clock"]


def test_accesses_are_those_that_the_stimulus_makes(small: Small) -> None:
    """Rising edges from step 6 on; ``we`` every third step, ``re`` every fourth."""
    found = price_waveform(small.prepared(), small.library)
    steps = range(6, CIRCUIT.steps)
    (memory,) = found.to_json()["memories"]
    assert memory["writes"] == sum(step % 3 == 0 for step in steps)
    assert memory["reads"] == sum(step % 4 == 1 for step in steps)
    assert (memory["words"], memory["width"]) == (16, 8)
    assert found.activity.clock_edges.tolist() == [[len(steps), len(steps)]]


def test_the_factor_scales_the_memories_and_nothing_else(small: Small) -> None:
    prepared = small.prepared()
    once, twice = (
        price_waveform(
            prepared, small.library, PricingOptions(sram=sram_for(small.library, factor=factor))
        )
        for factor in (1.0, 2.0)
    )
    one, two = (found.ledger.by_group() for found in (once, twice))
    assert two["macro"].internal == near(2 * one["macro"].internal, SAME)
    assert two["macro"].leakage == near(2 * one["macro"].leakage, SAME)
    assert two["macro"].switching == one["macro"].switching
    del one["macro"], two["macro"]
    assert one == two
    assert once.ledger.ports == twice.ledger.ports


# Two blocks of 1 µs and 3 µs, by hand: a memory of two ports, an inverter in `top.m`, a flip-flop.
GATES = {
    "top.m.u": ("INV", {"A": "a", "Y": "n"}),
    "top.f": ("DFF", {"D": "n", "CK": "clk", "Q": "y"}),
    "v": ("INV", {"A": "r", "Y": "z"}),
}
INPUTS = ["clk", "a", "e", "x", "unused"]


def with_memory(*, asynchronous: bool = False) -> Netlist:
    """``r`` is read from it."""
    at = {name: n for n, (name,) in enumerate(build(GATES, INPUTS, ["z"]).names)}
    ports = (
        MemoryPort(
            "read", None if asynchronous else at["clk"], True, (at["e"],), (at["x"],), (at["r"],)
        ),
        MemoryPort("write", at["clk"], True, (at["e"],), (at["x"],), (at["a"],)),
    )
    return build(GATES, INPUTS, ["z"], (Memory("ram", "top", 64, 32, ports),))


def by_hand(library: Library, netlist: Netlist, sram: SramModel | None) -> PricedActivity:
    names = [name for (name,) in netlist.names]
    toggles = np.zeros((2, len(names)), np.uint64)
    for name, counts in {
        "clk": (200, 600),
        "a": (10, 30),
        "n": (10, 30),
        "y": (4, 0),
        "r": (6, 7),
        "z": (6, 7),
        "e": (1, 2),
    }.items():
        toggles[:, names.index(name)] = counts
    activity = Activity(
        edges_s=np.array([0, 1e-6, 4e-6]),
        toggles=toggles,
        high_s=np.where([name in ("a", "clk") for name in names], 1e-6, 0.0),
        origins=np.full(len(names), Origin.RECORDED, np.uint8),
        accesses=np.array([[5, 1], [0, 2]], np.uint64),
        clock_edges=np.array(
            [
                [0 if port.clock is None else edges for port in netlist.memories[0].ports]
                for edges in (100, 300)
            ],
            np.uint64,
        ),
        unmatched=(),
        matched=0,
        judged=0,
        scope="",
    )
    return price_activity(activity, netlist, library, PricingOptions(sram=sram), roots=[2])


def test_every_joule_by_hand(tmp_path: Path) -> None:
    sram = SramModel(node_nm=180, voltage=1.8)
    found = by_hand(read(tmp_path), with_memory(), sram)
    cost = sram.energies(64, 32)
    assert found.ledger.modules == ("", "top", "top.m")
    # Inverters 2 fF up, 3 fF down; D 2 fF, CK 4 fF; ½ C V² with 2 V is 2 fJ for each fF.
    r = {"clk": 4 * 2, "a": 3 * 2, "n": 2 * 2, "y": 0, "r": 3 * 2, "z": 0}
    rise_n, fall_n = 0.1 + 0.02 * 2, 0.2 + 0.01 * 2
    first, last = (1 + 0.1 * 2 + 3 + 0.2 * 2) / 2, (1 + 3) / 2  # by load; slews are 0
    d, ck, q = (1 + 10 * rise_n + 3 + 10 * fall_n) / 2, (9 + 5) / 2, (10 + 14) / 2
    inverter = 0.75 * 4 + 0.25 * 8, 4  # nW; `a` is 1 a quarter of the time, `r` never
    for block, (clk, a, y, rs, reads, writes, edges, duration) in enumerate(
        [(200, 10, 4, 6, 5, 1, 100, 1e-6), (600, 30, 0, 7, 0, 2, 300, 3e-6)]
    ):
        idle = ((edges - reads) + (edges - writes)) / 2
        expected = {
            "top.m": (r["n"] + first) * a * FEMTO + inverter[0] * NANO * duration,
            "top": (d * a + ck * clk + (q + r["y"]) * y) * FEMTO
            + 30 * NANO * duration
            + r["r"] * rs * FEMTO  # what the memory drives is the memory's
            + reads * cost.read
            + writes * cost.write
            + idle * cost.idle
            + cost.leakage * duration,
            "": (r["clk"] * clk + r["a"] * a) * FEMTO
            + last * rs * FEMTO
            + inverter[1] * NANO * duration,
        }
        joules = found.ledger.joules[block].sum((1, 2))
        for module, value in zip(found.ledger.modules, joules, strict=True):
            assert value == near(expected[module]), (block, module)
    categories = found.ledger.by_category(category_of({"top.m": "datapath"}))
    assert categories["clock"] == near((r["clk"] + ck) * 800 * FEMTO)  # the flip-flop's pin too
    assert categories["datapath"] == near((r["n"] + first) * 40 * FEMTO)
    assert categories["sram"] == near(
        5 * cost.read + 3 * cost.write + (395 + 397) / 2 * cost.idle + r["r"] * 13 * FEMTO
    )
    leakage = (inverter[0] + inverter[1] + 30) * NANO + cost.leakage
    assert categories["leakage"] == near(leakage * 4e-6)
    control = (d * 40 + q * 4 + r["a"] * 40 + last * 13) * FEMTO
    assert categories["control"] == near(control)
    assert found.ledger.ports == near((r["clk"] * 800 + r["a"] * 40) * FEMTO)
    nets = {name: (toggles, joules) for name, toggles, joules in found.by_net()}
    assert nets["r"] == (13, near(r["r"] * 13 * FEMTO))
    assert "unused" in nets
    assert {"0", "1"}.isdisjoint(nets)


def test_a_port_without_a_clock_never_idles(tmp_path: Path) -> None:
    """A read for every new address, and no cycles between them."""
    sram = SramModel(node_nm=180, voltage=1.8)
    found = by_hand(read(tmp_path), with_memory(asynchronous=True), sram)
    cost = sram.energies(64, 32)
    macro = found.ledger.by_group()["macro"].internal
    assert macro == near(5 * cost.read + 3 * cost.write + (400 - 3) * cost.idle)


def test_no_toggles_leave_the_leakage(tmp_path: Path) -> None:
    library = read(tmp_path)
    netlist = build({name: GATES[name] for name in ("top.m.u", "top.f")}, ["clk", "a"], ["y"])
    none = np.zeros((1, 0), np.uint64)
    activity = Activity(
        edges_s=np.array([2e-6, 7e-6]),
        toggles=np.zeros((1, len(netlist.names)), np.uint64),
        high_s=np.zeros(len(netlist.names)),
        origins=np.full(len(netlist.names), Origin.ASSUMED, np.uint8),
        accesses=none,
        clock_edges=none,
        unmatched=(),
        matched=0,
        judged=0,
        scope="",
    )
    found = price_activity(activity, netlist, library)
    assert found.ledger.total == near((4 + 30) * NANO * 5e-6)
    assert vars(found.ledger.instances().figures()) == {
        "switching": 0.0,
        "internal": 0.0,
        "leakage": near((4 + 30) * NANO * 5e-6),
        "total": near((4 + 30) * NANO * 5e-6),
    }
    assert found.ledger.ports == 0


def test_an_ideal_clock_is_high_half_of_the_time(tmp_path: Path) -> None:
    """Whatever the waveform says: an inverter on it leaks 0 nW high (so 8, its own), 4 nW low."""
    library = read(tmp_path)
    netlist = build({"c": ("INV", {"A": "clk", "Y": "k"})}, ["clk"])
    none = np.zeros((1, 0), np.uint64)
    activity = Activity(
        edges_s=np.array([0, 1e-6]),
        toggles=np.zeros((1, len(netlist.names)), np.uint64),
        high_s=np.zeros(len(netlist.names)),
        origins=np.full(len(netlist.names), Origin.ASSUMED, np.uint8),
        accesses=none,
        clock_edges=none,
        unmatched=(),
        matched=0,
        judged=0,
        scope="",
    )
    found = price_activity(activity, netlist, library, PricingOptions(clock=Clock("clk", 4e-9)))
    assert found.ledger.instances().leakage == near((0.5 * 8 + 0.5 * 4) * NANO * 1e-6)
    assert found.ledger.ports == near(3 * 2 * FEMTO * 2 * 250)


def test_half_the_voltage_quarters_switching(small: Small) -> None:
    prepared = small.prepared()
    volts = small.library.voltage
    full, half = (
        price_waveform(prepared, small.library, PricingOptions(voltage=v))
        for v in (None, volts / 2)
    )
    one, two = (found.ledger.instances() for found in (full, half))
    assert two.switching == near(one.switching / 4, SAME)
    assert (two.internal, two.leakage) == (one.internal, one.leakage)
    assert half.ledger.ports == near(full.ledger.ports / 4, SAME)


def test_categories_by_the_longest_prefix() -> None:
    category = category_of({"a": "datapath", "a.b": "control", "c.d": "datapath"})
    names = ("", "a", "a.x", "a.b", "a.b.c", "ab", "c", "c.d.e")
    assert [category(name) for name in names] == [
        *("control", "datapath", "datapath", "control", "control", "control", "control"),
        "datapath",
    ]
    assert category_of({"": "datapath"})("x") == "datapath"


def test_blocks_are_the_windows(small: Small) -> None:
    """Fixed joules per toggle: each block of one run, priced at that run's prices."""
    borders = (60.5e-9, 3e-7, 9.01e-7, 1502.2e-9)
    whole = price_waveform(
        small.prepared(), small.library, replaying=ReplayOptions(borders=borders[1:-1])
    )
    for block, (begin, end) in enumerate(pairwise(borders)):
        assert whole.ledger.edges_s[block] == near(begin)
        part = price_waveform(
            small.prepared(), small.library, replaying=ReplayOptions(window=(begin, end))
        )
        found = (whole.prices.switching * part.activity.totals)[whole.prices.driver >= 0].sum()
        place = whole.ledger.joules[block, :, :4, 0].sum()
        memory = (whole.prices.switching * part.activity.totals)[whole.prices.driver == -2].sum()
        assert found + memory == near(place, SAME)
