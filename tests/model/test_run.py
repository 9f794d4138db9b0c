"""Two runs of the same samples: where they part, what could be compared, what was not kept."""

import pickle
from typing import Any

import numpy as np
import pytest

from spikewatt.base.errors import DataError, SimulationError
from spikewatt.model.compile.mapping import map_network
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.run import COUNTERS, FIELDS, Chosen, Keep, Piece, Run, comparable, difference
from tests.model.builders import random_network
from tests.model.mesh_builders import random_mesh

SAMPLES, TICKS, NEURONS = 3, 4, 5


def run(by: str = "ours", **changes: Any) -> Run:
    """A small run in which every array has other numbers."""
    rng = np.random.default_rng(1)
    arrays: dict[str, Any] = {
        "spikes": rng.random((SAMPLES, TICKS, NEURONS)) < 0.5,
        "membranes": rng.integers(0, 99, (SAMPLES, TICKS, NEURONS)),
        "final_membranes": rng.integers(0, 99, (SAMPLES, NEURONS)),
        "final_scheduler": rng.random((SAMPLES, 2, 6)) < 0.5,
        "merges": rng.integers(0, 9, (SAMPLES, TICKS + 1)),
    }
    return Run(by=by, arrays={**arrays, **changes})


def changed(by: str, name: str, *places: tuple[int, ...]) -> Run:
    """The small run with one more at these places of an array."""
    array = run().arrays[name].copy()
    for place in places:
        array[place] = array[place] ^ 1
    return run(by, **{name: array})


def test_equal_runs_do_not_differ() -> None:
    ours, theirs = run("RTL"), run("the model")
    assert difference(ours, theirs) is None
    assert comparable(ours, theirs) == tuple(n for n in FIELDS if n in ours.arrays)
    assert ours == theirs
    assert ours != changed("RTL", "merges", (0, 0))


@pytest.mark.parametrize(
    ("name", "place", "words"),
    [
        ("spikes", (1, 2, 3), "sample 1, tick 2, neuron 3: spikes "),
        ("membranes", (2, 0, 4), "sample 2, tick 0, neuron 4: membranes "),
        ("merges", (0, 0), "sample 0, tick -1: merges "),
        ("merges", (1, 4), "sample 1, tick 3: merges "),
        ("final_membranes", (2, 1), "sample 2, neuron 1: final membranes "),
        ("final_scheduler", (0, 1, 5), "sample 0, slot 1, axon 5: final scheduler "),
    ],
)
def test_a_difference_says_where(name: str, place: tuple[int, ...], words: str) -> None:
    found = difference(changed("RTL", name, place), run("the model"))
    assert found is not None
    value, other = (one.arrays[name][place] for one in (changed("", name, place), run()))
    assert str(found) == f"{words}{value} by RTL, {other} by the model"
    assert (found.left, found.right, found.what) == (value, other, name)
    assert found.compared == comparable(run(), run())


def test_the_first_of_several() -> None:
    """First by sample, then by tick; what a sample leaves behind comes after its ticks."""
    late = changed("RTL", "membranes", (1, 3, 0), (2, 0, 0)).with_arrays(
        final_membranes=changed("RTL", "final_membranes", (1, 0)).final_membranes,
        merges=changed("RTL", "merges", (1, 3)).merges,
    )
    found = difference(late, run("the model"))
    assert found is not None
    assert (found.sample, found.tick, found.what) == (1, 2, "merges")
    last = difference(late, run("the model"), ("final_membranes",))
    assert last is not None
    assert (last.sample, last.tick, last.what) == (1, None, "final_membranes")


def test_only_what_both_kept_is_compared() -> None:
    ours = run("RTL", membranes=run().membranes + 1)
    counters = Run(by="the model", arrays={"merges": run().merges})
    assert comparable(ours, counters) == ("merges",)
    assert difference(ours, counters) is None


def test_nothing_in_common_is_no_equality() -> None:
    ours = Run(by="RTL", arrays={"merges": run().merges})
    theirs = Run(by="the model", arrays={"spikes": run().spikes})
    with pytest.raises(SimulationError) as stop:
        difference(ours, theirs)
    assert str(stop.value) == "nothing of RTL (merges) can be compared with the model (spikes)"
    with pytest.raises(SimulationError, match="can be compared"):
        difference(run("RTL"), run("the model"), fields=("hops",))


@pytest.mark.parametrize(
    ("chosen", "other"),
    [
        (Chosen(samples=np.array([0])), Chosen(samples=np.array([1, 2]))),
        (Chosen(neurons=np.array([0, 3])), Chosen(neurons=np.array([1, 2, 4]))),
    ],
)
def test_nothing_in_common_of_one_array(chosen: Chosen, other: Chosen) -> None:
    """Two arrays of one name about other samples, or other neurons, are not comparable."""

    def only(which: Chosen) -> Run:
        values = run().final_membranes
        samples = slice(None) if which.samples is None else which.samples
        neurons = slice(None) if which.neurons is None else which.neurons
        arrays = {"final_membranes": values[samples][:, neurons]}
        return Run(by="RTL", arrays=arrays, chosen={"final_membranes": which})

    assert comparable(only(chosen), only(other)) == ()
    with pytest.raises(SimulationError, match="nothing of RTL"):
        difference(only(chosen), only(other))


def test_chosen_samples_and_neurons_are_compared_with_their_own() -> None:
    whole = run("the model")
    chosen = Chosen(samples=np.array([2]), neurons=np.array([1, 4]))
    part = whole.final_membranes[2:, [1, 4]]
    arrays = {**whole.arrays, "final_membranes": part}
    ours = Run(by="RTL", arrays=arrays, chosen={"final_membranes": chosen})
    assert difference(ours, whole) is None
    wrong = part.copy()
    wrong[0, 1] += 7
    found = difference(
        Run(by="RTL", arrays={**ours.arrays, "final_membranes": wrong}, chosen=ours.chosen), whole
    )
    assert str(found) == (
        f"sample 2, neuron 4: final membranes {part[0, 1] + 7} by RTL, {part[0, 1]} by the model"
    )


def test_fewer_samples_differ_at_once() -> None:
    fewer = Run(by="RTL", arrays={n: a[:2] for n, a in run().arrays.items()})
    assert str(difference(fewer, run("the model"))) == "samples 2 by RTL, 3 by the model"
    shorter = {"membranes": run().membranes[:, :2]}
    found = difference(Run(by="RTL", arrays=shorter), run("the model"))
    assert str(found) == "ticks 2 by RTL, 4 by the model"


def test_another_core_differs_in_shape() -> None:
    wider = run("RTL", final_membranes=np.zeros((SAMPLES, NEURONS + 1), np.int64))
    found = difference(wider, run("the model"))
    assert str(found) == "final membranes: shape (3, 6) by RTL, (3, 5) by the model"


def test_packets_of_a_tick_have_no_order() -> None:
    rows = np.array([(0, 1, 5, 1, 0, 1), (0, 1, 2, 1, 0, 1), (1, 3, 2, 1, 0, 1)])
    ours, theirs = (Run(by=by, arrays={"sent": rows}) for by in ("RTL", "the model"))
    turned = Run(by="RTL", arrays={"sent": rows[[1, 0, 2]]})
    assert difference(ours, theirs) is difference(turned, theirs) is None
    found = difference(Run(by="RTL", arrays={"sent": rows[:2]}), theirs)
    assert str(found) == (
        "sample 1, tick 3: packet (axon, delay, dx, dy) None by RTL, (2, 1, 0, 1) by the model"
    )


def test_a_mesh_names_its_core() -> None:
    cores = [Run(by=by, arrays=run().arrays, core="tile (1, 0)") for by in ("RTL", "the model")]
    bent = cores[0].with_arrays(merges=changed("RTL", "merges", (1, 1)).merges)
    meshes = [Run(by=core.by, arrays={}, cores=(core,)) for core in (bent, cores[1])]
    found = difference(meshes[0], meshes[1])
    assert str(found).startswith("tile (1, 0), sample 1, tick 0: merges ")
    assert meshes[0].total("merges") == bent.merges.sum()
    assert (meshes[0].samples, meshes[0].ticks) == (SAMPLES, TICKS)


def test_what_was_not_kept_is_named() -> None:
    with pytest.raises(DataError) as stop:
        _ = Run(by="RTL", arrays={"merges": run().merges}).spikes
    assert str(stop.value) == "the run of RTL kept no spikes: it has merges"


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"weights": np.zeros(3)}, "a run has no 'weights': it may keep spikes, membranes, "),
        ({"merges": np.zeros(3)}, r"merges must have axes \(sample, time\), not shape \(3,\)"),
        (
            {"active": np.zeros((3, 4)), "updates": np.zeros((2, 4))},
            "updates has 2 samples, and others 3",
        ),
    ],
)
def test_arrays_that_do_not_fit(arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Run(by="RTL", arrays=arrays)


def test_arrays_are_read_only_and_survive_a_pickle() -> None:
    ours = run()
    with pytest.raises(ValueError, match="read-only"):
        ours.merges[0, 0] = 1
    again = pickle.loads(pickle.dumps(ours))
    assert again == ours
    assert again.by == ours.by
    assert repr(ours) == (
        "<run of ours: 3 samples, 4 ticks; "
        "final_membranes, final_scheduler, membranes, merges, spikes>"
    )
    assert "<td>3 × 4 × 5</td>" in ours._repr_html_()


@pytest.mark.parametrize("seed", range(12))
def test_a_run_that_keeps_less_is_the_same_run(seed: int) -> None:
    """Populations of the readout, counters and final states are those of the whole run."""
    network = random_network(seed)
    spikes = np.random.default_rng(seed).random((2, 9, network.encoder.inputs)) < 0.4
    readout = network.readout.population
    keep = Keep(spikes=False, membranes=(readout,))
    program = map_network(network)
    whole = run_batch(program, spikes)
    few = run_batch(program, spikes, keep=keep)
    assert difference(few, whole) is None
    assert "spikes" not in few.arrays
    assert few.membranes.shape[2] == network.population(readout).size
    assert np.array_equal(few.of("membranes", readout), whole.of("membranes", readout))
    assert np.array_equal(network.readout.classes(few), network.readout.classes(whole))


@pytest.mark.parametrize("seed", range(8))
def test_a_mesh_that_keeps_less_is_the_same_run(seed: int) -> None:
    network, program = random_mesh(seed)
    spikes = np.random.default_rng(seed).random((2, 9, network.encoder.inputs)) < 0.4
    whole = run_mesh(program, spikes)
    readout = network.readout.population
    few = run_mesh(program, spikes, Keep(spikes=(readout,), membranes=False))
    assert difference(few, whole) is None
    assert np.array_equal(few.of("spikes", readout), whole.of("spikes", readout))
    assert np.array_equal(network.readout.scores(few), network.readout.scores(whole))


def test_a_population_that_was_not_kept() -> None:
    layout = {"a": (Piece(0, range(2), range(2)),), "b": (Piece(0, range(2, 5), range(3)),)}
    kept = Run(
        by="RTL",
        arrays={"membranes": np.arange(8).reshape(1, 4, 2)},
        chosen={"membranes": Chosen(neurons=np.arange(2))},
        layout=layout,
    )
    assert kept.of("membranes", "a").tolist() == [[[0, 1], [2, 3], [4, 5], [6, 7]]]
    with pytest.raises(DataError, match=r"the run of RTL kept no membranes of neurons 2\.\.4"):
        kept.of("membranes", "b")
    with pytest.raises(DataError, match="has no population 'c'"):
        kept.of("membranes", "c")
    with pytest.raises(DataError, match="there is no population 'c' to keep the spikes of"):
        Keep(spikes=("c",)).neurons("spikes", layout, 0)


def test_a_part_has_what_is_known_of_its_samples() -> None:
    """Not what goes by other things than samples, nor what is kept of some of them alone."""
    whole = Run(
        by="RTL",
        arrays={
            "spikes": np.arange(12).reshape(3, 2, 2) % 2 == 0,
            "membranes": np.arange(6, dtype=np.int32).reshape(3, 2, 1),
            "final_membranes": np.ones((1, 2), np.int32),
            "cycles": np.arange(3),
        },
        chosen={
            "final_membranes": Chosen(samples=np.array([2])),
            "membranes": Chosen(neurons=np.array([1])),
        },
    )
    part = whole.part(slice(1, 3))
    assert (part.samples, part.kept) == (2, {"spikes", "membranes"})
    assert part.membranes.tolist() == [[[2], [3]], [[4], [5]]]
    assert list(part.chosen) == ["membranes"]


def test_without_an_array_it_is_gone_from_every_core() -> None:
    seed = 3
    network, program = random_mesh(seed)
    spikes = np.random.default_rng(seed).random((2, 9, network.encoder.inputs)) < 0.4
    few = run_mesh(program, spikes).without("spikes", "membranes")
    assert not few.kept & {"spikes", "membranes"}
    assert few == run_mesh(program, spikes, COUNTERS)
