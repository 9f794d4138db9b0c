"""What a waveform hides is computed: random circuits, and random parts of their waveforms.

The judge is an event-driven simulation of the mapped netlist. The waveform of the RTL is written
anew without some registers, arrays or bits, or with X where they have a value, down to the ports
alone; from the moment all is known to the judge, every net has to toggle as it does there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from random import Random

import pytest

from spikewatt.energy.activity import hidden
from spikewatt.energy.activity.activity import Activity, Origin
from spikewatt.energy.activity.replay import ReplayOptions, prepare, replay
from spikewatt.synth.asic import MappingOptions, synthesise
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.models import verilog_models
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from tests.energy.circuits import bench
from tests.energy.event_driven import Trace, read_trace, simulate
from tests.energy.random_circuits import FILL, INPUTS, Design, draw_design
from tests.energy.small_waves import write_vcd

OSU = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
CIRCUITS = 13
"""In a design, which is mapped and simulated once."""
TICK_S = 1e-12
STEP = 10_000
"""Ticks from one change of the inputs to the next."""
KNOWN = FILL * STEP
"""Tick from which on all is known, but what a judge of single values cannot see to be reset."""
SHARE = 0.9
"""Of the judge's nets, at least, which are all known at the end and held against it."""
History = list[tuple[int, str]]
LONG = [pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 17)]
WAYS = ("ports", "states", "bits", "unknown", "mixed")


@dataclass(frozen=True)
class Run:
    """A design, its netlist in both forms, what the RTL did, and what its gates did."""

    design: Design
    library: Library
    netlist: Netlist
    rtl: Trace
    judge: Trace


@cache
def run(seed: int, base: Path) -> Run:
    built_in = seed % 2 == 1 or not OSU.exists()
    path = default_library_path() if built_in else OSU
    library = read_liberty(path)
    design = draw_design(seed, CIRCUITS)
    circuit, folder = design.circuit, base / str(seed)
    result = synthesise(circuit.verilog, "dut", path, MappingOptions(clock_gating=seed % 4 != 3))
    # From time 0 on, and with the words of arrays, which simulators leave out.
    words = "".join(
        f" $dumpvars(0, dut.{name}[{word}]);"
        for name, count in design.arrays.items()
        for word in range(count)
    )
    test = bench(circuit, "all.vcd").replace("    #0.5\n", "")
    gates = [path.read_text() for path in result.simulation]
    gates.append(verilog_models(library, result.types))
    shown = test.replace("$dumpvars(0, dut);", f"$dumpvars(0, dut);{words}")
    for kind, sources in (("rtl", [shown, circuit.verilog]), ("gates", [test, *gates])):
        (folder / kind).mkdir(parents=True)
        simulate(sources, folder / kind)
    rtl = read_trace(folder / "rtl" / "all.vcd", "tb.dut", below=True)
    judge = read_trace(folder / "gates" / "all.vcd", "tb.dut", below=True)
    settled = rtl.since(KNOWN).changes, judge.since(KNOWN).changes
    for name in settled[0]:
        # A reset through gates that hide it from a judge of single values leaves the gates unknown.
        if name.split("[")[0] in circuit.outputs and not _ever_unknown(settled[1][name]):
            assert settled[0][name] == settled[1][name], name
    return Run(
        design=design,
        library=library,
        netlist=read_netlist(result.verilog, library, top="dut"),
        rtl=rtl,
        judge=judge,
    )


def _ever_unknown(history: History) -> bool:
    return any(value in "xz" for _, value in history)


def hide(found: Run, way: str, random: Random) -> dict[str, History]:
    """What is left of the waveform, bit by bit."""
    ports = {*INPUTS, *found.design.circuit.clocks}
    left: dict[str, History] = {}
    for name, bits in groupby(sorted(found.rtl.changes), key=_register):
        kind = {
            "states": random.choice(["shown", "shown", "hidden"]),
            "mixed": random.choice(KINDS),
        }
        chosen = kind.get(way, way)
        for bit in bits:
            history = found.rtl.changes[bit]
            if name in ports or chosen == "shown" or (chosen == "bits" and random.random() < 0.5):
                left[bit] = history
            elif chosen == "unknown":
                left[bit] = _doubt(history, found.rtl.end, random)
    return left


KINDS = ("shown", "hidden", "hidden", "bits", "unknown")


def _register(bit: str) -> str:
    return bit.rpartition("[")[0] or bit


def _doubt(history: History, end: int, random: Random) -> History:
    """The same with X for a few spans."""
    for _ in range(random.randrange(3)):
        begin = random.randrange(KNOWN, end)
        until = min(begin + random.choice([3000, 20_000, 200_000, end]), end)
        last = [value for time, value in history if time <= until][-1]
        history = [
            *((time, value) for time, value in history if time < begin),
            (begin, "x"),
            *([(until, last)] if until < end else []),
            *((time, value) for time, value in history if time > until),
        ]
    return history


def write(path: Path, left: Mapping[str, History], end: int) -> Path:
    """Write a waveform, each bit for itself."""
    order = sorted(left, key=lambda bit: (bit.split(".")[:-1], bit))
    signals = {f"tb.dut.{_spaced(bit)}": (1, list(left[bit])) for bit in order}
    return write_vcd(path, signals, end=end, tick="1ps")


def _spaced(bit: str) -> str:
    name, bracket, index = bit.rpartition("[")
    return f"{name} [{index}" if bracket else bit


def differences(netlist: Netlist, judge: Trace, activity: Activity) -> Iterator[str]:
    """Nets that do not toggle as the judge says, though they are not said to be assumed."""
    toggles = activity.totals
    held = doubtful = 0
    for net, names in list(enumerate(netlist.names))[2:]:
        for name in names[:1]:
            history = judge.changes.get(name)
            if history is None:
                continue
            if _ever_unknown(history) or (activity.origins[net] == Origin.ASSUMED):
                doubtful += 1
                continue
            held += 1
            wanted = judge.toggles(name), judge.high(name)
            counted = int(toggles[net]), round(activity.high_s[net] / TICK_S)
            if counted != wanted:
                yield f"{name}: {counted}, judge {wanted} (toggles, ticks at 1)"
    if held < SHARE * (held + doubtful):
        yield f"only {held} nets are known, {doubtful} are not"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hidden")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", [1, *LONG])
def test_hidden_states_toggle_as_those_of_the_gates(
    seed: int, way: str, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run(seed, base)
    monkeypatch.setattr(hidden, "BLOCK", 200)  # so that there are borders
    monkeypatch.setattr(hidden, "ROOM", 10)
    wave = write(tmp_path / "left.vcd", hide(found, way, Random(f"{seed} {way}")), found.rtl.end)
    window = KNOWN * TICK_S, found.judge.end * TICK_S
    judge = found.judge.since(KNOWN)
    prepared = prepare(found.netlist, found.library, wave, "tb.dut")
    activity = replay(prepared, ReplayOptions(window=window, unknown="hold"))
    assert list(differences(found.netlist, judge, activity)) == []
