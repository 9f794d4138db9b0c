"""Bundled data: by hand, and against mapped gates that run with their delays."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from spikewatt.base.errors import LibraryError, ParameterError
from spikewatt.base.report import from_json
from spikewatt.energy.delays.arcs import delay_arcs
from spikewatt.energy.delays.bundling import Bundling, BundlingReport, check_bundling
from spikewatt.energy.delays.timing import analyse_timing
from spikewatt.energy.glitches.annotated import gates_verilog
from spikewatt.energy.pricing.cell_kinds import cell_kinds
from spikewatt.energy.pricing.options import Wires
from spikewatt.model.params import Delays
from spikewatt.synth.asic import synthesise
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from tests.energy import click_circuits
from tests.energy.click_circuits import CIRCUITS, PLAIN_CELLS, TOKENS, simulate
from tests.energy.event_driven import Trace, read_trace
from tests.energy.small_library import build
from tests.energy.timed_library import NANO, timed_library

PIPELINE = CIRCUITS["pipeline"]
BUILT_IN = default_library_path()
LIBRARY = read_liberty(BUILT_IN)
ROUNDING_S = 15e-12
"""A path of 30 gates whose delays are rounded to 1 ps."""


def mapped(delays: Delays | None = None) -> Netlist:
    with mock.patch.object(click_circuits, "DELAYS", delays or click_circuits.DELAYS):
        verilog = PIPELINE.verilog
    return read_netlist(synthesise(verilog, "dut", BUILT_IN).netlist, LIBRARY, top="dut")


def small() -> Netlist:
    """A register, a matched delay of two gates, a register; each gate an AND of one net."""
    netlist = build(
        {
            "a.fire.g": ("AND", {"A": "fa", "B": "fa", "Y": "ca"}),
            "a.p": ("DFF", {"CK": "ca", "D": "np", "R": "r", "Q": "pa"}),
            "a.i": ("INV", {"A": "pa", "Y": "np"}),
            "a.d": ("DFF", {"CK": "ca", "D": "in", "R": "r", "Q": "qa"}),
            "b.late.g0": ("AND", {"A": "pa", "B": "pa", "Y": "t"}),
            "b.late.g1": ("AND", {"A": "t", "B": "t", "Y": "late"}),
            "b.n": ("INV", {"A": "qa", "Y": "nq"}),
            "b.f": ("AND", {"A": "late", "B": "late", "Y": "fb"}),
            "b.fire.g": ("AND", {"A": "fb", "B": "fb", "Y": "cb"}),
            "b.d": ("DFF", {"CK": "cb", "D": "nq", "R": "r", "Q": "qb"}),
        },
        inputs=("fa", "in", "r"),
        outputs=("qb",),
    )
    at = {names[0]: net for net, names in enumerate(netlist.names)}
    return replace(netlist, recorded={at["ca"]: "fire", at["late"]: "delay", at["cb"]: "fire"})


def near(nanoseconds: float) -> object:
    return pytest.approx(nanoseconds * NANO, rel=1e-9, abs=0)


def test_a_bundle_by_hand(tmp_path: Path) -> None:
    """Loads: 1 fF a gate's pin, 2 fF a flip-flop's D. Slews (ns): load / 5 up, load / 10 down.

    The click's slew is 0.4. pa drives three pins: 1 + 0.2 + 0.3 up. Gates of the control path, up:
    1 + 0.3 + 0.2 (t), 1 + 0.2 + 0.2 (late, then fb), 1 + 0.2 + 0.1 (cb). qa falls after 2 + 0.2 +
    0.1, then nq rises after 1 + 0.05 + 0.2; it rises after 1.3, then nq falls after 2 + 0.1 + 0.2.
    """
    library = timed_library(tmp_path)
    found = check_bundling(small(), library, setup_s=0.25 * NANO)
    (bundle,) = found.bundles
    assert (bundle.register, bundle.launch, bundle.through) == ("cb", "ca", "delay x2")
    assert bundle.pin == "b.d.D"
    assert bundle.data_s == near(1.3 + 2.3)
    assert bundle.control_s == near(1.5 + 1.5 + 1.4 + 1.4 + 1.3)
    assert bundle.matched_s == near(1.5 + 1.4)
    assert bundle.slack_s == near(7.1 - 3.6 - 0.25)
    assert bundle.needed_s == near(2.9 - 3.25)
    assert found.slack_s == bundle.slack_s
    assert found.holds
    assert found.unbundled == ()
    report = found.report()
    assert from_json(report.to_json(), BundlingReport) == report
    assert (report.bundles, report.worst) == ((bundle,), {"delay x2": bundle})
    cells = {cell.net: cell for cell in found.cells}
    assert (cells["late"].gates, cells["late"].rise_s) == (2, near(2.9))
    assert not check_bundling(small(), library, setup_s=3.6 * NANO).holds
    loaded = check_bundling(small(), library, wires=Wires(per_sink=1e-15)).bundles[0]
    assert loaded.data_s > bundle.data_s


def test_data_without_a_request(tmp_path: Path) -> None:
    netlist = small()
    at = {names[0]: net for net, names in enumerate(netlist.names)}
    instances = [
        replace(one, pins={**one.pins, "A": at["in"], "B": at["in"]}) if one.name == "b.f" else one
        for one in netlist.instances
    ]
    found = check_bundling(replace(netlist, instances=tuple(instances)), timed_library(tmp_path))
    assert (found.bundles, found.unbundled, found.holds) == ((), (("ca", "cb"),), False)


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"setup_s must be 0 s or more, not -1\.0"):
        check_bundling(small(), timed_library(tmp_path), setup_s=-1.0)
    gates = {
        name: replace(
            cell,
            pins={key: replace(pin, timing=()) for key, pin in cell.pins.items()},
        )
        for name, cell in LIBRARY.cells.items()
    }
    with pytest.raises(LibraryError, match="library spikewatt45 has no delays"):
        check_bundling(mapped(), replace(LIBRARY, cells=gates))


def test_a_clockless_circuit_has_no_period() -> None:
    """Its registers are not the clock's; loops through them are no loops of gates."""
    timing = analyse_timing(mapped(), LIBRARY)
    assert timing.period_s == 0
    assert len(timing.untimed) == 47


def test_chains_take_about_their_delay() -> None:
    delays = click_circuits.DELAYS
    for cell in check_bundling(mapped(), LIBRARY).cells:
        element = cell.net.split(".")[0]
        wanted = delays.route if element in ("second", "last") else delays.link
        if cell.kind == "delay":
            mean = (cell.rise_s + cell.fall_s) / 2
            assert mean == pytest.approx(wanted * 1e-12, rel=0.12), cell
    fires = [cell for cell in check_bundling(mapped(), LIBRARY).cells if cell.kind == "fire"]
    assert len(fires) == 5
    assert all(0.6 * delays.fire < cell.rise_s * 1e12 < 1.2 * delays.fire for cell in fires)


def lumped_delays(netlist: Netlist, library: Library) -> np.ndarray:
    """int64[nets, 2], ps: the slowest arc of every net."""
    count = len(netlist.names)
    none, every = np.zeros(count, np.bool_), np.ones((count, 2), np.int64)
    kinds = cell_kinds(netlist, library)
    arcs = delay_arcs(kinds, none, Wires(), every, netlist.recorded)
    return np.rint(arcs.by_node(2 * count).reshape(count, 2) / 1e-12).astype(np.int64)


def gates_alone(netlist: Netlist, folder: Path) -> Trace:
    """The gates with their own delays in the bench: nothing but gates makes the clicks."""
    inputs = [net for p in netlist.ports.values() if p.direction == "input" for net in p.nets]
    gates = gates_verilog(
        netlist,
        LIBRARY,
        lumped_delays(netlist, LIBRARY),
        {n: k for k, n in enumerate(inputs)},
        {},
        1,
    )
    driven = [
        f"{name}[{k}]" if len(port.nets) > 1 else name
        for name, port in netlist.ports.items()
        if port.direction == "input"
        for k in range(len(port.nets))
    ]
    lines = [f"module dut ({', '.join(netlist.ports)});"]
    for name, port in netlist.ports.items():
        lines.append(f"  {port.direction} [{len(port.nets) - 1}:0] {name};")
    lines.append(f"  gates gates ({{{', '.join(reversed(driven))}}});")
    for name, port in netlist.ports.items():
        if port.direction == "output":
            bits = ", ".join(f"gates.n{net}" for net in reversed(port.nets))
            lines.append(f"  assign {name} = {{{bits}}};")
    types = list(dict.fromkeys(one.type for one in netlist.instances))
    texts = ["\n".join([*lines, "endmodule"]), gates, verilog_models(LIBRARY, types)]
    return read_trace(simulate(PIPELINE, texts, folder), "tb.dut", below=True)


def tokens(trace: Trace, port: str) -> list[int]:
    """Data of a link, a matched delay after each change of its request."""
    times = [time for time, value in trace.changes[f"{port}__req"] if value in "01"][1:]
    bits, link = [trace.changes[f"{port}__data[{k}]"] for k in range(8)], click_circuits.DELAYS.link
    return [
        sum(([v for t, v in bit if t <= time + link][-1] == "1") << k for k, bit in enumerate(bits))
        for time in times
    ]


def margins(netlist: Netlist, trace: Trace) -> dict[str, float]:
    """Least time, s, from the last change of a register's data to its click, by its fire net."""
    found: dict[str, float] = {}
    for one in netlist.instances:
        if not one.type.startswith("DFF"):
            continue
        fire = netlist.names[one.pins["CK"]][-1]
        data = [time for time, value in trace.changes[f"gates.n{one.pins['D']}"] if value in "01"]
        for (_, before), (click, after) in pairwise(trace.changes[f"gates.n{one.pins['CK']}"]):
            changed = [time for time in data[1:] if time <= click]
            if (before, after) == ("0", "1") and changed:
                margin = (click - changed[-1]) * 1e-12
                found[fire] = min(margin, found.get(fire, margin))
    return found


@pytest.mark.timeout(120)
def test_gates_with_their_own_delays(tmp_path: Path) -> None:
    """They pass every token; no register's data come closer to its click than analysed."""
    netlist = mapped()
    trace = gates_alone(netlist, tmp_path / "gates")
    wave = simulate(PIPELINE, [PIPELINE.verilog, PLAIN_CELLS], tmp_path / "rtl")
    rtl = read_trace(wave, "tb.dut")
    assert len(tokens(trace, "y")) == 2 * TOKENS
    assert sorted(tokens(trace, "y")) == sorted(tokens(rtl, "y"))
    assert tokens(trace, "x") == [(value + 7) % 256 for value in tokens(trace, "y")]
    found = check_bundling(netlist, LIBRARY, lumped=True)
    assert found.holds
    slack = tightest(found)
    seen = margins(netlist, trace)
    assert set(slack) == {f"{name}.fire_buffer.y" for name in ("merge", "fork", "last")}
    for register, least in slack.items():
        assert seen[register] > least - ROUNDING_S, register
        assert seen[register] < least + 150e-12, register  # not by far: the analysis says something


def tightest(found: Bundling) -> dict[str, float]:
    """Least slack of each register, s."""
    slack: dict[str, float] = {}
    for one in found.bundles:
        slack[one.register] = min(one.slack_s, slack.get(one.register, one.slack_s))
    return slack


@pytest.mark.timeout(120)
def test_gates_whose_delays_are_too_short(tmp_path: Path) -> None:
    """The same two judges agree that this circuit does not work."""
    netlist = mapped(Delays(fire=1, link=2, route=2, mutex=1))
    found = check_bundling(netlist, LIBRARY)
    assert not found.holds
    assert found.bundles[0].slack_s < 0
    trace = gates_alone(netlist, tmp_path / "gates")
    assert tokens(trace, "x") != [(value + 7) % 256 for value in tokens(trace, "y")]
