"""Waveforms of clockless circuits that are not of the netlist, or cannot be priced."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

from spikewatt.base.errors import NetlistError, WaveformError
from spikewatt.energy.activity.activity import Activity
from spikewatt.energy.activity.replay import Engine, ReplayOptions, replay_waveform
from spikewatt.synth.click import simulation_cells
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from tests.energy.click_circuits import CIRCUITS, PLAIN_CELLS, gates_of, simulate

PIPELINE = CIRCUITS["pipeline"]
NO_DELAY = PLAIN_CELLS.replace("#D ", "")
History = list[tuple[int, str]]
"""Times and values, as VCD writes them."""


@cache
def gates() -> tuple[Library, Netlist]:
    path = default_library_path()
    library = read_liberty(path)
    result, _ = gates_of(PIPELINE, library, path)
    return library, read_netlist(result.netlist, library, top="dut")


def replayed(wave: Path, engine: Engine = "numba") -> Activity:
    library, netlist = gates()
    return replay_waveform(netlist, library, wave, "tb.dut", ReplayOptions(engine=engine))


@dataclass(frozen=True)
class Wave:
    """A VCD file: its head, and the changes of each code."""

    head: str
    changes: dict[str, History]
    codes: dict[str, str]
    end: int

    def moved(self, name: str, change: Callable[[History], None]) -> "Wave":
        """The same with another history of one signal, under all its names."""
        found = {code: list(history) for code, history in self.changes.items()}
        before = self.changes[self.codes[name]]
        for code, history in self.changes.items():
            if history == before:
                change(found[code])
        return replace(self, changes=found)

    def written(self, folder: Path) -> Path:
        """The waveform as a file."""
        events = [
            (time, order, value + code)
            for order, (code, history) in enumerate(self.changes.items())
            for time, value in history
        ]
        lines, now = [self.head], -1
        for time, _, text in sorted(events):
            if time != now:
                lines.append(f"#{time}")
            now = time
            lines.append(text)
        path = folder / "mutant.vcd"
        path.write_text("\n".join([*lines, f"#{self.end}", ""]))
        return path


def read_wave(path: Path) -> Wave:
    """Read what Icarus wrote."""
    head, mark, body = path.read_text().partition("$enddefinitions $end\n")
    changes: dict[str, History] = {}
    scope: list[str] = []
    codes: dict[str, str] = {}
    for line in head.splitlines():
        words = line.split()
        if words[:1] == ["$scope"]:
            scope.append(words[2])
        elif words[:1] == ["$upscope"]:
            scope.pop()
        elif words[:1] == ["$var"]:
            codes[".".join([*scope[2:], words[4]])] = words[3]
    time = 0
    for line in body.splitlines():
        if line.startswith("#"):
            time = int(line[1:])
        elif line[:1] == "b":
            value, code = line.split()
            changes.setdefault(code, []).append((time, f"{value} "))
        elif line[:1] in "01x":
            changes.setdefault(line[1:], []).append((time, line[0]))
    return Wave(head + mark, changes, codes, time)


@pytest.fixture(scope="session")
def wave(tmp_path_factory: pytest.TempPathFactory) -> Wave:
    """The pipeline, simulated with the models of the cells."""
    folder = tmp_path_factory.mktemp("click") / "rtl"
    return read_wave(simulate(PIPELINE, [PIPELINE.verilog, simulation_cells()], folder))


def test_the_waveform_as_it_is(wave: Wave, tmp_path: Path) -> None:
    """What the mutants below are mutants of; and every click is there."""
    activity = replayed(wave.written(tmp_path))
    _, netlist = gates()
    rises = {
        net: int(activity.totals[net]) // 2
        for net, kind in netlist.recorded.items()
        if kind == "fire"
    }
    assert {netlist.names[net][-1].split(".")[0]: n for net, n in rises.items()} == PIPELINE.clicks
    clocked = [net for one in netlist.instances for pin, net in one.pins.items() if pin == "CK"]
    assert activity.judged == sum(rises.get(net, 0) for net in clocked) > 0


@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_delays(seed: int, engine: Engine, tmp_path: Path) -> None:
    """Toggles of delays and clicks are those of the tokens, whatever the delays."""
    sources = [PIPELINE.verilog, simulation_cells()]
    activity = replayed(simulate(PIPELINE, sources, tmp_path / "rtl", seed=seed), engine)
    _, netlist = gates()
    for net, kind in netlist.recorded.items():
        element = netlist.names[net][-1].split(".")[0]
        tokens = PIPELINE.clicks[element]
        of_each = tokens // 2 if element == "merge" and kind != "fire" else tokens
        assert activity.totals[net] == (1 if kind == "delay" else 2) * of_each, netlist.names[net]


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_clicks_without_width(engine: Engine, tmp_path: Path) -> None:
    path = simulate(PIPELINE, [PIPELINE.verilog, NO_DELAY], tmp_path / "rtl")
    with pytest.raises(WaveformError) as error:
        replayed(path, engine)
    assert re.fullmatch(
        rf"clicks have no width in {path}: \w+\.fire_buffer\.y never rises, and flip-flops behind "
        r"such nets change: simulate with a delay above 0 in click_fire, click_delay and "
        r"click_mutex \(synth/click/simulation\.v\)",
        str(error.value),
    )


def test_a_lost_click(wave: Wave, tmp_path: Path) -> None:
    def lose(history: History) -> None:
        del history[41:43]

    mutant = wave.moved("first.fire_buffer.y", lose)
    with pytest.raises(NetlistError, match=r"a__data\S* is [01] at .* the netlist makes it"):
        replayed(mutant.written(tmp_path))


def test_a_click_too_many(wave: Wave, tmp_path: Path) -> None:
    def click(history: History) -> None:
        after = history[40][0]
        history[41:41] = [(after + 20, "1"), (after + 40, "0")]

    mutant = wave.moved("first.fire_buffer.y", click)
    with pytest.raises(NetlistError, match=r"a__ack is [01] at .* the netlist makes it"):
        replayed(mutant.written(tmp_path))


@pytest.mark.parametrize(
    ("name", "by", "message"),
    [
        ("first.fire_buffer.y", 1, r"a__data\S* is [01] at .* the netlist makes it"),
        ("first.fire_buffer.y", -1, r"a__data\S* is [01] at .* the netlist makes it"),
        (
            "first.matched.y",
            -251,
            r"first\.matched\.y becomes [01] at .*the gate that drives it does not ask for that",
        ),
    ],
)
def test_a_shifted_net(name: str, by: int, message: str, wave: Wave, tmp_path: Path) -> None:
    def shift(history: History) -> None:
        history[1:] = [(time + by, value) for time, value in history[1:]]

    mutant = wave.moved(name, shift)
    with pytest.raises(NetlistError, match=message):
        replayed(mutant.written(tmp_path))


def test_a_late_delay_is_none_of_the_netlists_business(wave: Wave, tmp_path: Path) -> None:
    """A delay may be any, as long as nothing happens before its cause."""

    def shift(history: History) -> None:
        history[1:] = [(time - 100, value) for time, value in history[1:]]

    activity = replayed(wave.moved("first.matched.y", shift).written(tmp_path))
    assert (activity.totals == replayed(wave.written(tmp_path)).totals).all()


def test_data_of_another_time(wave: Wave, tmp_path: Path) -> None:
    def flip(history: History) -> None:
        time, value = history[20]
        history[20] = time + 1, value

    with pytest.raises(NetlistError, match=r"b__data\S* is [01] at .* the netlist makes it"):
        replayed(wave.moved("second.held", flip).written(tmp_path))


def test_cells_that_are_not_shown(wave: Wave, tmp_path: Path) -> None:
    lines = wave.head.splitlines(keepends=True)
    code = {wave.codes["merge.mutex.x"], wave.codes["merge.mutex.y"]}
    head = "".join(line for line in lines if not code & set(line.split()[3:4]))
    changes = {key: history for key, history in wave.changes.items() if key not in code}
    rest = replace(wave, head=head, changes=changes)
    with pytest.raises(WaveformError) as error:
        replayed(rest.written(tmp_path))
    assert re.fullmatch(
        r"scope tb\.dut of \S+ does not show merge\.mutex\.[xy], whose value depends on delays "
        r"\(nor 1 more such nets\): write the waveform with all levels below the top, those of the "
        r"click_\* cells among them",
        str(error.value),
    )
