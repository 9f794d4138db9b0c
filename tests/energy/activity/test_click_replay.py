"""Clockless circuits: every net of the gates toggles as an event-driven simulation says."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from spikewatt.base.errors import SimulationError
from spikewatt.energy.activity import samples
from spikewatt.energy.activity.prepared import prepare
from spikewatt.energy.activity.replay import Engine, ReplayOptions, replay_waveform
from spikewatt.energy.glitches.bound import glitch_factor
from spikewatt.energy.pricing.ledger import category_of
from spikewatt.energy.pricing.priced_activity import price_waveform
from spikewatt.synth.asic import AsicResult
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from tests.energy.click_circuits import CIRCUITS, PLAIN_CELLS, gates_of, simulate
from tests.energy.event_driven import Trace, read_trace

OSU = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
TICK_S = 1e-12
BEGIN = 100_000
"""All flip-flops of the gates have a value by then, ps."""
FORMS = ("json", "verilog")
LOSSLESS = "#(own + click_random::draw(own / 9 + 1));"


@dataclass(frozen=True)
class Case:
    """A circuit with its netlist, and the waveforms of both."""

    result: AsicResult
    library: Library
    rtl: Path
    judge: Trace

    def netlist(self, form: str) -> Netlist:
        path = self.result.netlist if form == "json" else self.result.verilog
        return read_netlist(path, self.library, top="dut")


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clicks")


@cache
def case(name: str, library_name: str, base: Path) -> Case:
    path = default_library_path() if library_name == "built-in" else OSU
    library, circuit = read_liberty(path), CIRCUITS[name]
    folder = base / f"{name}-{library_name}"
    result, gates = gates_of(circuit, library, path)
    rtl = simulate(circuit, [circuit.verilog, PLAIN_CELLS], folder / "rtl", begin=BEGIN)
    judged = simulate(circuit, gates, folder / "gates", begin=BEGIN)
    return Case(result, library, rtl, read_trace(judged, "tb.dut", below=True))


def driven(netlist: Netlist) -> set[int]:
    """Nets that a cell drives."""
    return {net for one in netlist.instances for net in one.pins.values()} - {0, 1}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("library", ["built-in", "osu018"])
@pytest.mark.parametrize("name", CIRCUITS)
def test_toggles_of_every_net(
    name: str, library: str, form: str, engine: Engine, base: Path
) -> None:
    if library == "osu018" and not OSU.exists():
        pytest.skip("apt-get install qflow-tech-osu018")
    found = case(name, library, base)
    netlist = found.netlist(form)
    activity = replay_waveform(
        netlist, found.library, found.rtl, "tb.dut", ReplayOptions(engine=engine)
    )
    assert activity.unmatched == ()
    assert activity.matched == found.result.flip_flops
    totals, wrong, seen = activity.totals, {}, set[int]()
    for net, names in list(enumerate(netlist.names))[2:]:
        shown = [one for one in names if one in found.judge.changes]
        if not shown:
            continue  # a name of yosys's
        name = shown[0]
        seen.add(net)
        mine = int(totals[net]), round(activity.high_s[net] / TICK_S)
        theirs = found.judge.toggles(name), found.judge.high(name)
        assert all(value in "01" for _, value in found.judge.changes[name])
        if mine != theirs:
            wrong[name] = mine, theirs
    assert wrong == {}
    assert netlist.recorded.keys() <= seen
    ports = {net for port in netlist.ports.values() for net in port.nets}
    assert (ports if form == "json" else driven(netlist)) <= seen  # the JSON has names of its own


@pytest.mark.parametrize("fast", [samples.FAST, 2.0])
def test_cycles_and_views_add_up(fast: float, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where clicks are so many that the clock is sampled as data are."""
    monkeypatch.setattr(samples, "FAST", fast)
    found = case("mixed", "built-in", base)
    prepared = prepare(found.netlist("json"), found.library, found.rtl, "tb.dut")
    assert len(prepared.samples.root_rows) == (fast < 1)
    one = price_waveform(prepared, found.library, replaying=ReplayOptions(borders=[4e-7, 1.1e-6]))
    ledger = one.ledger
    cycles = one.per_cycle(prepared, one.cycle_edges(prepared))
    assert len(cycles) == 201
    assert cycles.sum() == pytest.approx(ledger.total, rel=1e-9, abs=0)
    category = category_of({"stage0": "router", "stage1": "router"})
    assert sum(ledger.by_category(category).values()) == pytest.approx(
        ledger.total, rel=1e-9, abs=0
    )
    assert ledger.by_category(category)["router"] > 0.2 * ledger.total
    assert sum(ledger.by_module().values()) == pytest.approx(ledger.total, rel=1e-9, abs=0)


def test_glitches(base: Path) -> None:
    """Without delays none; with them either what they cost, or why that cannot be said."""
    found = case("mixed", "built-in", base)
    prepared = prepare(found.netlist("json"), found.library, found.rtl, "tb.dut")
    one = price_waveform(prepared, found.library)
    still = glitch_factor(prepared, one, scale=0.0)
    assert (still.plain == still.delayed).all()
    assert still.flip_flops_checked == found.result.flip_flops
    assert glitch_factor(prepared, one).factor > 1.01
    found = case("pipeline", "built-in", base)
    prepared = prepare(found.netlist("json"), found.library, found.rtl, "tb.dut")
    one = price_waveform(prepared, found.library)
    still = glitch_factor(prepared, one, scale=0.0)
    assert (still.plain == still.delayed).all()
    with pytest.raises(SimulationError, match="the delays of its click there are shorter than"):
        glitch_factor(prepared, one)
