"""A run that is proven sample by sample, and of which only counters stay."""

import re
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spikewatt.model.compile.mapping import map_network
from spikewatt.model.compile.mesh.mapping import MeshFit, map_mesh
from spikewatt.model.golden.batch import run_batch
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.run import DENSE, Keep, Run, difference
from spikewatt.targets import proof
from spikewatt.targets.proof import Proof
from tests.model.builders import dense_network

NETWORK = dense_network(5, 16, 6)
SPIKES: NDArray[np.bool_] = np.random.default_rng(4).random((7, 8, 5)) < 0.5
ROOM = {"all at once": 1 << 26, "two at a time": 2 * 5 * 8 * 24, "one by one": 1}


@lru_cache
def golden(kind: str) -> Any:
    """The golden model of a core or a mesh, of samples and with what is to be kept."""
    if kind == "mesh":
        return partial(run_mesh, map_mesh(NETWORK, MeshFit(mesh=(2, 1), lanes=4)))
    program = map_network(NETWORK)
    return lambda x, keep: run_batch(program, x, keep=keep)


def flipped(run: Run, sample: int, tick: int, neuron: int) -> Run:
    """The run with another membrane in one place, of the first core of a mesh."""
    if run.cores:
        first, *rest = run.cores
        return replace(run, cores=(flipped(first, sample, tick, neuron), *rest))
    membranes = run.membranes.copy()
    membranes[sample, tick, neuron] += 1
    return run.with_arrays(membranes=membranes)


def simulated(check: Proof, run: Run, samples: int) -> list[Run]:
    """A simulation that gives one sample after another away; what is kept of each."""
    return [check.observer(k, run.part(slice(k, k + 1))) for k in range(samples)]


@pytest.mark.parametrize("room", ROOM)
@pytest.mark.parametrize("kind", ["core", "mesh"])
def test_the_same_place_as_in_one_piece(
    kind: str, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "BLOCK_BYTES", ROOM[room])
    whole = golden(kind)(SPIKES, Keep())
    for place in ((0, 0, 0), (3, 5, 2), (6, 7, 3)):
        other = flipped(whole, *place)
        check = Proof(golden(kind), SPIKES)
        simulated(check, other, len(SPIKES))
        said, expected = check.difference(other.without(*DENSE)), difference(other, whole)
        assert str(said) == str(expected)
        assert re.search(rf"sample {place[0]}, tick {place[1]}, neuron {place[2]}", str(said))
    check = Proof(golden(kind), SPIKES)
    simulated(check, whole, len(SPIKES))
    assert check.difference(whole.without(*DENSE)) is None


def test_counters_are_compared_at_the_end() -> None:
    """What is left behind after the last sample is no sample's own."""
    whole = golden("core")(SPIKES, Keep())
    check = Proof(golden("core"), SPIKES)
    simulated(check, whole, len(SPIKES))
    last = whole.final_membranes.copy()
    last[-1, 4] += 1
    assert "sample 6, neuron 4: final membranes" in str(
        check.difference(whole.with_arrays(final_membranes=last).without(*DENSE))
    )


@pytest.mark.parametrize("kind", ["core", "mesh"])
def test_nothing_of_every_tick_stays(kind: str) -> None:
    asked: list[tuple[int, Keep]] = []

    def model(x: Any, keep: Keep) -> Run:
        asked.append((len(x), keep))
        return golden(kind)(x, keep)

    whole, seen = golden(kind)(SPIKES, Keep()), list[bool]()
    check = Proof(model, SPIKES, lambda run: seen.append({*DENSE} <= run.kept))
    kept = simulated(check, whole, len(SPIKES))
    assert seen == [True] * len(SPIKES)
    assert not any(run.kept & {*DENSE} for run in (check.golden, *kept))
    assert asked[0] == (7, Keep(spikes=False, membranes=False))


def test_the_golden_model_is_no_more_than_its_room_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def model(x: Any, keep: Keep) -> Run:
        sizes.append(len(x))
        return golden("core")(x, keep)

    whole = golden("core")(SPIKES, Keep())
    neurons = whole.final_membranes.shape[1]
    monkeypatch.setattr(proof, "BLOCK_BYTES", 3 * 5 * 8 * neurons)
    simulated(Proof(model, SPIKES), whole, len(SPIKES))
    assert sizes == [7, 3, 3, 1]
