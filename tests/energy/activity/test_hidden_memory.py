"""Memories whose reads the waveform does not show: what they hold is computed, by hand here."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from spikewatt.energy.activity.activity import Activity, Origin
from spikewatt.energy.activity.replay import Prepared, ReplayOptions, prepare, replay
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Memory, MemoryPort, Netlist, Port
from spikewatt.synth.technology.library import default_library_path
from tests.energy.small_waves import Changes, write_vcd

CK, A, W, D, ONE, OTHER, Q = 2, (3, 4), (5, 6), 7, 8, 9, 10
READ = MemoryPort(kind="read", clock=None, rising=True, enable=(1,), address=A, data=(Q,))
WRITE = MemoryPort(kind="write", clock=CK, rising=True, enable=(ONE,), address=W, data=(D,))
MEMORY = Memory("mem", "", 3, 1, (READ, WRITE), init="010", offset=1)
"""Words 1 to 3, which hold 0, 1 and 0 at first."""
CLOCK = [(10 * k + (5 if k else 0), str(k % 2)) for k in range(8)]


def run(folder: Path, memory: Memory, signals: Mapping[str, Changes], begin: int = 0) -> Activity:
    """Replay a waveform that shows all but what is read."""
    return replay(prepared(folder, memory, signals, begin), ReplayOptions(unknown="hold"))


def prepared(
    folder: Path, memory: Memory, signals: Mapping[str, Changes], begin: int = 0
) -> Prepared:
    names = ((), (), ("ck",), ("a[0]",), ("a[1]",), ("w[0]",), ("w[1]",), ("d",), ("one",))
    inputs = {"ck": (CK,), "a": A, "w": W, "d": (D,), "one": (ONE,), "other": (OTHER,)}
    netlist = Netlist(
        name="dut",
        names=(*names, ("other",), ("q",)),
        instances=(),
        memories=(memory,),
        ports={
            **{name: Port("input", nets) for name, nets in inputs.items()},
            "q": Port("output", (Q,)),
        },
        attributes={},
    )
    rest: dict[str, Changes] = {name: [(begin, "0" * len(nets))] for name, nets in inputs.items()}
    shown = {**rest, "ck": [(begin + time, value) for time, value in CLOCK], **signals}
    path = write_vcd(
        folder / "seen.vcd",
        {f"tb.dut.{name}": (len(inputs[name]), changes) for name, changes in shown.items()},
        begin + 90,
    )
    library = read_liberty(default_library_path())
    return prepare(netlist, library, path, "tb.dut")


def test_a_memory_reads_what_it_held_at_first(tmp_path: Path) -> None:
    """From address 1 on: 0, 1, 0."""
    address = [(0, "01"), (20, "10"), (40, "11"), (60, "10")]
    activity = run(tmp_path, MEMORY, {"a": address})
    assert (activity.totals[Q], Origin(activity.origins[Q])) == (3, Origin.INFERRED)
    assert activity.high_s[Q] == pytest.approx(50e-9, rel=1e-9, abs=0)


def test_of_a_waveform_that_begins_later_nobody_knows_what_was_written(tmp_path: Path) -> None:
    address = [(100, "01"), (120, "10"), (140, "11"), (160, "10")]
    activity = run(tmp_path, MEMORY, {"a": address}, begin=100)
    assert (activity.totals[Q], Origin(activity.origins[Q])) == (0, Origin.ASSUMED)
    fixed = replace(MEMORY, ports=(READ,))  # what nothing writes is there at all times
    activity = run(tmp_path, fixed, {"a": address}, begin=100)
    assert (activity.totals[Q], Origin(activity.origins[Q])) == (3, Origin.INFERRED)


def test_the_last_of_two_ports_wins(tmp_path: Path) -> None:
    """Both write word 2 at 15 ns: the first a 1, the second a 0."""
    second = replace(WRITE, enable=(OTHER,), data=(0,))
    memory = replace(MEMORY, ports=(READ, WRITE, second), init="000")
    signals = {"a": [(0, "10")], "w": [(0, "10")], "d": [(0, "1")], "one": [(0, "1")]}
    assert run(tmp_path, memory, signals).totals[Q] == 1
    assert run(tmp_path, memory, signals | {"other": [(0, "1")]}).totals[Q] == 0


def test_an_address_beyond_the_memory_writes_nothing(tmp_path: Path) -> None:
    signals = {"a": [(0, "01")], "d": [(0, "1")], "one": [(0, "1")]}
    assert run(tmp_path, MEMORY, signals | {"w": [(0, "00")]}).totals[Q] == 0
    assert run(tmp_path, MEMORY, signals | {"w": [(0, "01")]}).totals[Q] == 1


@pytest.mark.parametrize(("value", "vague"), [("0", False), ("1", True)])
def test_an_edge_that_may_be_one_may_write(tmp_path: Path, value: str, vague: bool) -> None:
    """The clock is X from 15 ns on: word 1 then holds 0, or what may have been written."""
    signals = {"ck": [(0, "0"), (15, "x"), (25, "0")], "a": [(0, "01")], "w": [(0, "01")]}
    signals |= {"d": [(0, value)], "one": [(0, "1")]}
    samples = prepared(tmp_path, MEMORY, signals).samples
    assert (samples.settled > 25, bool(samples.vague[Q].any())) == (vague, vague)
    assert run(tmp_path, MEMORY, signals).totals[Q] == 0


@pytest.mark.parametrize("late", ["w", "d", "one"])
def test_what_changes_at_the_edge_is_taken_as_it_was(tmp_path: Path, late: str) -> None:
    """The edge at 15 ns writes a 1 into word 1, though one of its inputs then says otherwise."""
    first = {"w": "01", "d": "1", "one": "1"}
    signals: dict[str, Changes] = {name: [(0, value)] for name, value in first.items()}
    signals[late] = [(0, first[late]), (15, {"w": "10", "d": "0", "one": "0"}[late])]
    clock = [(0, "0"), (15, "1"), (25, "0")]
    assert run(tmp_path, MEMORY, {"ck": clock, "a": [(0, "01")], **signals}).totals[Q] == 1


@pytest.mark.parametrize("unknown", ["w", "one"])
@pytest.mark.parametrize(("value", "vague"), [("0", False), ("1", True)])
def test_a_word_that_may_be_written_is_what_both_say(
    tmp_path: Path, unknown: str, value: str, vague: bool
) -> None:
    signals: dict[str, Changes] = {"w": [(0, "01")], "one": [(0, "1")], "d": [(0, value)]}
    signals[unknown] = [(0, "00"), (10, "0x")] if unknown == "w" else [(0, "0"), (10, "x")]
    shown = {"ck": [(0, "0"), (15, "1")], "a": [(0, "01")], **signals}
    samples = prepared(tmp_path, MEMORY, shown).samples
    assert bool(samples.vague[Q].any()) == vague


@pytest.mark.parametrize("sees", [False, True])
def test_a_clocked_read_holds_or_sees_through(tmp_path: Path, sees: bool) -> None:
    """Word 1 is read at 15 ns while a 1 is written; at 35 ns what is in it, at 55 ns no more.

    What it held before is not known, and so is no toggle: it is taken to be what it read first.
    """
    read = replace(READ, clock=CK, enable=(OTHER,), transparent=(sees,))
    memory = replace(MEMORY, ports=(read, WRITE), init="000")
    clock = [(0, "0"), *((5 + 10 * k, str(k % 2)) for k in range(1, 8))]
    signals = {"ck": clock, "a": [(0, "01"), (40, "10")], "w": [(0, "01")], "d": [(0, "1")]}
    enables = {"one": [(0, "1"), (20, "0")], "other": [(0, "1"), (45, "0")]}
    activity = run(tmp_path, memory, signals | enables)
    assert activity.high_s[Q] == pytest.approx((90 if sees else 55) * 1e-9, rel=1e-9, abs=0)
