"""Windows and borders: counts are additive, and a window is what lies within it."""

import random
from itertools import pairwise

import numpy as np
import pytest

from spikewatt.base.errors import WaveformError
from spikewatt.energy.activity.activity import Activity
from spikewatt.energy.activity.replay import Engine, ReplayOptions, replay, replay_waveform
from tests.energy.event_driven import read_trace
from tests.energy.small_designs import CIRCUIT, Small, make

BEGIN, END = 60.5e-9, 1502.2e-9
PS = 1e-12


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return make(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def whole(small: Small) -> Activity:
    return replay(small.prepared())


def test_the_whole_is_what_the_file_holds(whole: Activity) -> None:
    assert whole.edges_s == pytest.approx([BEGIN, END], rel=1e-12, abs=0)
    assert whole.duration_s == pytest.approx(END - BEGIN, rel=1e-12, abs=0)


@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("count", [1, 2, 7, 60, 5000])
def test_blocks_add_up(small: Small, whole: Activity, engine: Engine, count: int) -> None:
    source = random.Random(count)
    borders = [tick * PS for tick in source.sample(range(60_501, 1_502_200), count)]
    found = replay(small.prepared(), ReplayOptions(borders=borders, engine=engine))
    assert len(found.edges_s) == count + 2
    np.testing.assert_array_equal(found.totals, whole.totals)
    np.testing.assert_allclose(found.high_s, whole.high_s, rtol=1e-12)
    np.testing.assert_array_equal(found.accesses.sum(0), whole.accesses.sum(0))
    np.testing.assert_array_equal(found.clock_edges.sum(0), whole.clock_edges.sum(0))


def test_windows_side_by_side_add_up(small: Small, whole: Activity) -> None:
    prepared = small.prepared()
    cuts = [BEGIN, 65e-9, 65.001e-9, 302.3e-9, 302.4e-9, 777e-9, END]
    parts = [replay(prepared, ReplayOptions(window=window)) for window in pairwise(cuts)]
    np.testing.assert_array_equal(sum(part.totals for part in parts), whole.totals)
    np.testing.assert_allclose(sum(part.high_s for part in parts), whole.high_s, rtol=1e-12)
    np.testing.assert_array_equal(sum(part.accesses for part in parts), whole.accesses)
    blocks = replay(prepared, ReplayOptions(borders=cuts[1:-1]))
    for k, part in enumerate(parts):
        np.testing.assert_array_equal(blocks.toggles[k], part.totals)
        np.testing.assert_array_equal(blocks.accesses[k], part.accesses[0])


@pytest.mark.parametrize("window", [(60.5, 1502.2), (65, 75), (64.999, 65), (311.7, 902.3)])
def test_a_window_counts_what_happens_in_it(small: Small, window: tuple[float, float]) -> None:
    """Changes after its begin, up to and with its end, as the waveform itself shows them."""
    begin, end = (round(edge * 1000) for edge in window)
    found = replay(small.prepared(), ReplayOptions(window=(window[0] * 1e-9, window[1] * 1e-9)))
    trace, seen = read_trace(small.waveform, "tb.dut", below=True), 0
    for net, names in enumerate(small.netlist.names):
        for name in names:
            history = trace.changes.get(name)
            if history is None or any(value in "xz" for _, value in history):
                continue
            wanted = sum(begin < time <= end for time, _ in history[1:])
            assert found.totals[net] == wanted, name
            spans = pairwise([*history, (trace.end, "")])
            high = sum(
                max(0, min(then, end) - max(now, begin))
                for (now, value), (then, _) in spans
                if value == "1"
            )
            assert found.high_s[net] == pytest.approx(high * PS, rel=1e-9, abs=1e-18), name
            seen += 1
    assert seen > 40


def test_accesses_are_in_their_window(small: Small) -> None:
    """Edges at 65, 75, … ns are those of steps 6, 7, …; a write comes every third."""
    borders = [10 * step * 1e-9 for step in range(7, CIRCUIT.steps)]
    found = replay(small.prepared(), ReplayOptions(borders=borders))
    steps = range(6, CIRCUIT.steps)
    assert found.accesses[: len(steps)].tolist() == [[s % 4 == 1, s % 3 == 0] for s in steps]
    assert found.clock_edges[: len(steps)].tolist() == [[1, 1]] * len(steps)


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ((0, 1e-6), "the window 0 s to 1e-06 s is not within the waveform, which runs from "),
        ((1e-7, 2e-6), "the window 1e-07 s to 2e-06 s is not within the waveform"),
        ((1e-6, 5e-7), "the window is empty"),
        ((1e-6, 1e-6), "the window is empty"),
        ((1e-6, 1e-6 + 1e-16), "the window is empty"),
        ((float("nan"), 1e-6), "the window nan s to 1e-06 s is not within the waveform"),
        ((1e-7, float("inf")), "the window 1e-07 s to inf s is not within the waveform"),
        ((float("inf"), 1e-6), "the window inf s to 1e-06 s is not within the waveform"),
    ],
)
def test_windows_that_are_none(small: Small, window: tuple[float, float], message: str) -> None:
    with pytest.raises(WaveformError) as caught:
        replay(small.prepared(), ReplayOptions(window=window))
    assert message in str(caught.value)


def test_borders_outside_the_window_are_left_out(small: Small) -> None:
    borders = [0, BEGIN, 3e-7, 3e-7, END, 1]
    found = replay(small.prepared(), ReplayOptions(borders=borders))
    assert found.edges_s == pytest.approx([BEGIN, 3e-7, END], rel=1e-12, abs=0)


def test_threads_do_not_matter(small: Small, whole: Activity) -> None:
    for threads in (1, 2, 3):
        found = replay_waveform(
            small.netlist, small.library, small.waveform, options=ReplayOptions(threads=threads)
        )
        np.testing.assert_array_equal(found.toggles, whole.toggles)
        np.testing.assert_array_equal(found.high_s, whole.high_s)
