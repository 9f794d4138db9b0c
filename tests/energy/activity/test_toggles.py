"""Toggles of the replay equal an event-driven simulation of the netlist, net by net."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from spikewatt.energy.activity.activity import Activity
from spikewatt.energy.activity.replay import Engine, ReplayOptions, replay_waveform
from spikewatt.synth.asic import AsicResult, MappingOptions, synthesise
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from tests.energy.circuits import Circuit, bench
from tests.energy.clockings import clockings
from tests.energy.designs import designs
from tests.energy.event_driven import Trace, read_trace, simulate

OSU = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
CIRCUITS = {circuit.name: circuit for circuit in (*designs(), *clockings())}
LACKS = {("set_and_reset", "built-in"): "the built-in library has no flip-flop with set and reset"}
TICK_S = 1e-12


VARIANTS = (("built-in", True), ("built-in", False), ("osu018", False))  # osu018 has no clock gate
CASES = [
    pytest.param(
        *(name, library, gating, form),
        id=f"{name}-{library}{'-gated' if gating else ''}-{form}",
        # Verilog, which yosys turns into JSON first, of every second circuit.
        marks=[pytest.mark.long]
        * ((not gating and number % 4 > 0) or (form == "verilog" and number % 2 > 0)),
    )
    for number, name in enumerate(CIRCUITS)
    for library, gating in VARIANTS
    for form in ("json", "verilog")
]


@cache
def library_of(name: str) -> tuple[Path, Library]:
    path = default_library_path() if name == "built-in" else OSU
    return path, read_liberty(path)


@dataclass(frozen=True)
class Run:
    """A circuit simulated as RTL and as gates."""

    circuit: Circuit
    result: AsicResult
    library: Library
    rtl: Path
    gates: Path
    judge: Trace

    def netlist(self, form: str) -> Netlist:
        path = self.result.netlist if form == "json" else self.result.verilog
        return read_netlist(path, self.library, top="dut")

    def replay(self, form: str, engine: Engine, waveform: Path | None = None) -> Activity:
        waveform = self.rtl if waveform is None else waveform
        return replay_waveform(
            self.netlist(form), self.library, waveform, "tb.dut", ReplayOptions(engine=engine)
        )


@cache
def run(name: str, library_name: str, gating: bool, base: Path) -> Run:
    circuit, (path, library) = CIRCUITS[name], library_of(library_name)
    result = synthesise(circuit.verilog, "dut", path, MappingOptions(clock_gating=gating))
    folder = base / f"{name}-{library_name}-{gating}"
    gates = [path.read_text() for path in result.simulation]
    gates.append(verilog_models(library, result.types))
    for kind, sources in (("rtl", [circuit.verilog]), ("gates", gates)):
        (folder / kind).mkdir(parents=True)
        simulate([bench(circuit, "all.vcd"), *sources], folder / kind)
    judge = read_trace(folder / "gates" / "all.vcd", "tb.dut", below=True)
    found = Run(
        circuit=circuit,
        result=result,
        library=library,
        rtl=folder / "rtl" / "all.vcd",
        gates=folder / "gates" / "all.vcd",
        judge=judge,
    )
    same_outputs(found)
    return found


def same_outputs(found: Run) -> None:
    """RTL and gates agree on the outputs at all times: the judge simulated the same thing."""
    rtl = read_trace(found.rtl, "tb.dut")
    bits = [name for name in rtl.changes if name.split("[")[0] in found.circuit.outputs]
    assert len(bits) == sum(found.circuit.outputs.values())
    wrong = [name for name in bits if rtl.changes[name] != found.judge.changes[name]]
    assert wrong == []


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("toggles")


def compare(netlist: Netlist, judge: Trace, activity: Activity) -> set[int]:
    """Hold every net that the judge saw against the replay; the nets that were held."""
    toggles, wrong, seen = activity.toggles.sum(axis=0), {}, set()
    for net, names in list(enumerate(netlist.names))[2:]:
        for name in names:
            history = judge.changes.get(name)
            if history is None or any(value in "xz" for _, value in history):
                continue  # a name of yosys's; an undriven bit of a bus
            seen.add(net)
            found = (int(toggles[net]), round(activity.high_s[net] / TICK_S))
            if found != (wanted := (judge.toggles(name), judge.high(name))):
                wrong[name] = f"replay {found}, judge {wanted} (toggles, ticks at 1)"
    assert wrong == {}
    assert toggles[:2].tolist() == [0, 0]
    return seen


def test_constants_have_their_level_all_the_time(base: Path) -> None:
    activity = run("constants", "built-in", True, base).replay("json", "numba")
    assert activity.high_s[:2] == pytest.approx([0, activity.duration_s])


def driven(netlist: Netlist) -> set[int]:
    """Nets that something drives, but the constants."""
    used = {net for one in netlist.instances for net in one.pins.values()}
    used |= {net for port in netlist.ports.values() for net in port.nets}
    return used - {0, 1}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize(("name", "library", "gating", "form"), CASES)
def test_toggles(
    name: str, library: str, gating: bool, form: str, engine: Engine, base: Path
) -> None:
    if reason := LACKS.get((name, library)):
        pytest.skip(reason)
    if library == "osu018" and not OSU.exists():
        pytest.skip("apt-get install qflow-tech-osu018")
    found = run(name, library, gating, base)
    activity = found.replay(form, engine)
    assert activity.unmatched == ()
    netlist = found.netlist(form)
    seen = compare(netlist, found.judge, activity)
    if form == "verilog":  # the JSON has names of yosys's that the Verilog has not
        assert driven(netlist) <= seen
    else:
        assert {net for port in netlist.ports.values() for net in port.nets} - {0, 1} <= seen


@pytest.mark.parametrize("name", ["counters", "latch_bank", "two_clocks", "memory"])
def test_gates_from_their_own_waveform(name: str, base: Path) -> None:
    found = run(name, "built-in", True, base)
    activity = found.replay("verilog", "numba", found.gates)
    netlist = found.netlist("verilog")
    assert driven(netlist) <= compare(netlist, found.judge, activity)


@pytest.mark.parametrize("name", ["mac", "neuron", "register_file", "two_phases"])
def test_window_after_unknown_states(name: str, tmp_path: Path) -> None:
    """The waveforms begin with X; what is counted begins when all is known."""
    circuit, (path, library) = CIRCUITS[name], library_of("osu018")
    result = synthesise(circuit.verilog, "dut", path)
    models = verilog_models(library, result.types)
    test = bench(replace(circuit, warm_up=0), "all.vcd")
    for kind, sources in (
        ("rtl", [circuit.verilog]),
        ("gates", [*(path.read_text() for path in result.simulation), models]),
    ):
        (tmp_path / kind).mkdir()
        simulate([test, *sources], tmp_path / kind)
    begin = round((circuit.warm_up * circuit.step + 0.5) / (TICK_S * 1e9))
    judge = read_trace(tmp_path / "gates" / "all.vcd", "tb.dut", below=True)
    assert any(history[0][1] == "x" for history in judge.changes.values())
    netlist = read_netlist(result.verilog, library, top="dut")
    activity = replay_waveform(
        netlist,
        library,
        tmp_path / "rtl" / "all.vcd",
        "tb.dut",
        ReplayOptions(window=(begin * TICK_S, judge.end * TICK_S)),
    )
    assert driven(netlist) <= compare(netlist, judge.since(begin), activity)


def test_a_wrong_count_shows(base: Path) -> None:
    found = run("combinational", "built-in", True, base)
    activity = found.replay("verilog", "numba")
    activity.toggles[0, np.argmax(activity.toggles[0])] += 1
    with pytest.raises(AssertionError, match="toggles, ticks at 1"):
        compare(found.netlist("verilog"), found.judge, activity)


def test_clock_gates_are_there(base: Path) -> None:
    """The gated cases would prove nothing of clock gates without any."""
    result = run("counters", "built-in", True, base).result
    assert (result.clock_gates, result.gated_flip_flops) == (3, 28)
    assert run("counters", "built-in", False, base).result.clock_gates == 0
