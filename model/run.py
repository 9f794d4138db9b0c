"""A run: what a golden model, an RTL simulation or a board did, one type for all of them.

A run keeps arrays, each under a name of `FIELDS`, and knows what each axis of them means. So any
two runs of the same samples can be compared (`difference`), whoever did them and whatever they
kept, and who reads an array that was not kept is told so by name.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from spikewatt.base.errors import DataError, SimulationError

__all__ = [
    "COUNTERS",
    "DENSE",
    "FIELDS",
    "Chosen",
    "Difference",
    "Keep",
    "Kept",
    "Layout",
    "Piece",
    "Run",
    "comparable",
    "difference",
    "together",
]

IntArray = NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)
FIELDS: dict[str, tuple[str, ...]] = {}
"""Every array that a run may keep, and its axes; filled by `Run` itself."""
DENSE = ("spikes", "membranes")
"""Arrays of every tick and neuron: the only ones whose size a long run has to fear."""


class Kept(Generic[Scalar]):
    """An array that a run may have kept, as an attribute of `Run`.

    Parameters
    ----------
    axes:
        What each axis of it counts. ``tick`` begins with tick 0. ``time`` begins with what comes
        before it, t = -1: an event belongs to the tick that was begun last. ``block`` is what the
        hardware did in one go: a sample, or a batch of them.
    """

    def __init__(self, *axes: str) -> None:
        self._axes = axes
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name
        FIELDS[name] = self._axes

    @overload
    def __get__(self, run: None, owner: type) -> "Kept[Scalar]": ...
    @overload
    def __get__(self, run: "Run", owner: type) -> NDArray[Scalar]: ...
    def __get__(self, run: "Run | None", owner: type) -> "Kept[Scalar] | NDArray[Scalar]":
        if run is None:
            return self
        # An error of its own, not a `None` that turns up far from here.
        if self._name not in run.arrays:
            raise DataError(
                f"the run of {run.name} kept no {self._name}: it has "
                f"{', '.join(run.arrays) or 'nothing'}"
            )
        return run.arrays[self._name]


@dataclass(frozen=True)
class Piece:
    """Some of a population's neurons: ``members`` are the ``neurons`` of a tile, in this order."""

    tile: int
    neurons: range
    members: range


@dataclass(frozen=True)
class Chosen:
    """Which samples and neurons an array is about, in rising order; ``None``: all of them."""

    samples: IntArray | None = None
    neurons: IntArray | None = None


ALL = Chosen()
Layout = Mapping[str, tuple[Piece, ...]]
"""For each population (or layer) the pieces that it is made of."""


@dataclass(frozen=True)
class Keep:
    """What a run keeps of every tick and neuron; counters and final states are kept always.

    ``True``: of all neurons; ``False``: nothing; names: of the neurons of these populations.
    """

    spikes: bool | tuple[str, ...] = True
    membranes: bool | tuple[str, ...] = True

    def neurons(
        self, name: Literal["spikes", "membranes"], layout: Mapping[str, Iterable[Piece]], tile: int
    ) -> IntArray | None:
        """Neurons int64[k] of a tile whose ``name`` is kept; ``None``: all of them."""
        chosen = getattr(self, name)
        if chosen is True:
            return None
        # A misspelt name would keep nothing, and the run would be compared in less.
        for unknown in set(chosen or ()) - set(layout):
            raise DataError(f"there is no population {unknown!r} to keep the {name} of")
        parts = [
            np.arange(piece.neurons.start, piece.neurons.stop)
            for population in chosen or ()
            for piece in layout[population]
            if piece.tile == tile
        ]
        return np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))


COUNTERS = Keep(spikes=False, membranes=False)
"""Nothing of every tick and neuron: enough for scores, counts and work."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Run:
    """B samples over T ticks on a core of N neurons, on a mesh of such cores, or on an array.

    All arrays are read-only, and each is there only if it was kept.

    Parameters
    ----------
    by:
        Who ran it: ``the model``, ``RTL``, ``the board``.
    arrays:
        Arrays by their names in `FIELDS`.
    chosen:
        Of an array that is not about all samples or neurons, which ones it is about.
    cores:
        Of a mesh, the run of each core; ``arrays`` are then those of the mesh as a whole.
    core:
        Name of the core, where it is one of several.
    layout:
        For each population (or layer) the pieces that it is made of.
    seconds:
        Wall time of the samples alone; it is not compared.

    Raises
    ------
    DataError
        An array that a run does not have, or whose axes are not those of `FIELDS`.
    """

    by: str
    arrays: Mapping[str, NDArray[Any]]
    chosen: Mapping[str, Chosen] = field(default_factory=dict)
    cores: tuple["Run", ...] = ()
    core: str = ""
    layout: Layout = field(default_factory=dict)
    seconds: float = 0.0

    # What every tick did, neuron by neuron.
    spikes = Kept[np.bool_]("sample", "tick", "neuron")
    """bool[B, T, N]."""
    membranes = Kept[np.int32]("sample", "tick", "neuron")
    """int32[B, T, N], after each tick."""
    refractory = Kept[np.int32]("sample", "tick", "neuron")
    """int32[B, T, N], counters after each tick."""
    served = Kept[np.bool_]("sample", "tick", "axon")
    """bool[B, T, A], axons that the tick reads the synapses of."""
    # What a sample left behind.
    spike_counts = Kept[np.int64]("sample", "neuron")
    """int64[B, N], over all ticks."""
    final_membranes = Kept[np.int32]("sample", "neuron")
    """int32[B, N], after the last tick."""
    final_refractory = Kept[np.int32]("sample", "neuron")
    """int32[B, N]."""
    final_scheduler = Kept[np.bool_]("sample", "slot", "axon")
    """bool[B, D, A]: events that wait for ticks to come."""
    values = Kept[np.int64]("sample", "neuron")
    """int64[B, N], of a quantised network: activations of each layer, accumulators of the last."""
    # Counters.
    merges = Kept[np.int64]("sample", "time")
    """int64[B, T + 1], events that met a set bit."""
    active = Kept[np.int64]("sample", "tick")
    """int64[B, T], axons served."""
    synaptic_ops = Kept[np.int64]("sample", "tick")
    """int64[B, T], synapses that the network stores for the axons served, zeros included."""
    synapse_words = Kept[np.int64]("sample", "tick")
    """int64[B, T], words read from the synapse SRAM."""
    updates = Kept[np.int64]("sample", "tick")
    """int64[B, T], groups of neurons visited: those that sleep are not."""
    accesses = Kept[np.int64]("block", "memory")
    """int64[blocks, M], words of each memory of a systolic core, read and written."""
    # What went between cores.
    sent = Kept[np.int64]("packet", "column")
    """int64[n, 6], packets that left a core: (sample, tick, axon, delay, dx, dy)."""
    packets = Kept[np.int64]("sample", "time")
    """int64[B, T + 1], spikes that entered the network; what a core sends to itself is none."""
    hops = Kept[np.int64]("sample", "time")
    """int64[B, T + 1], routers that those packets passed."""
    to_host = Kept[np.int64]("sample", "tick", "axon")
    """int64[B, T, host axons], spikes that the host gets from each tick."""
    host_counts = Kept[np.int64]("sample", "axon")
    """int64[B, host axons], the same over all ticks."""
    traffic = Kept[np.int64]("core", "port")
    """int64[tiles, 5], packets that left each router by each `Port`, of all samples together."""
    barrier = Kept[np.int64]("sample", "time")
    """int64[B, T + 1], cycles in which all tiles are idle and the barrier adds up."""
    # Time.
    tick_cycles = Kept[np.int64]("sample", "tick")
    """int64[B, T], from one tick's end to the next, the first with its events; of a mesh, from one
    tick's begin to the next."""
    starts = Kept[np.int64]("block")
    """int64[blocks], clock cycle at which each begins, from the beginning of the waveform."""
    cycles = Kept[np.int64]("block")
    """int64[blocks], clearing the state before a sample and reading it back included."""
    images = Kept[np.int64]("block")
    """int64[blocks], samples of each block; one where it is left out."""
    rest = Kept[np.int64]("block")
    """int64[2], first cycle and end of the wait before the first sample, when nothing was asked."""

    def __post_init__(self) -> None:
        arrays, sizes = {}, {}
        for name, array in self.arrays.items():
            if name not in FIELDS:
                raise DataError(f"a run has no {name!r}: it may keep {', '.join(FIELDS)}")
            if array.ndim != len(FIELDS[name]):
                axes = ", ".join(FIELDS[name])
                raise DataError(f"{name} must have axes ({axes}), not shape {array.shape}")
            whole = self.chosen.get(name, ALL)
            for axis, size in zip(FIELDS[name], array.shape, strict=True):
                partial = {"sample": whole.samples, "neuron": whole.neurons}.get(axis)
                if partial is not None and len(partial) != size:
                    raise DataError(f"{name}: {len(partial)} of {size} {axis}s are chosen")
                whole_axis = axis in ("sample", "tick") and partial is None
                if whole_axis and sizes.setdefault(axis, size) != size:
                    raise DataError(f"{name} has {size} {axis}s, and others {sizes[axis]}")
            # The caller's array stays writable: only the run's view of it is not.
            arrays[name] = array.view()
            arrays[name].flags.writeable = False
        object.__setattr__(self, "arrays", arrays)

    @property
    def name(self) -> str:
        """Who ran it, and on which core."""
        return f"{self.by}, {self.core}" if self.core else self.by

    @property
    def samples(self) -> int:
        """How many samples were run."""
        return self._size("sample")

    @property
    def ticks(self) -> int:
        """Ticks of a sample; 0 where nothing goes by ticks."""
        return self._size("tick", "time")

    def _size(self, *axes: str) -> int:
        """Length of the first axis of these that is whole."""
        for name, array in self.arrays.items():
            for axis, size in zip(FIELDS[name], array.shape, strict=True):
                partial = axis == "sample" and self.chosen.get(name, ALL).samples is not None
                if axis in axes and not partial:
                    # `time` has one entry more, of what comes before tick 0.
                    return size - (axis == "time")
        return self.cores[0]._size(*axes) if self.cores else 0

    @property
    def kept(self) -> frozenset[str]:
        """Names of all arrays, those of the cores too."""
        return frozenset(self.arrays).union(*(core.kept for core in self.cores))

    def with_arrays(self, chosen: Chosen | None = None, **arrays: NDArray[Any]) -> "Run":
        """The same run with other arrays, or more of them; ``chosen``: what they are about."""
        about = {name: kept for name, kept in self.chosen.items() if name not in arrays}
        if chosen is not None:
            about.update(dict.fromkeys(arrays, chosen))
        return replace(self, arrays={**self.arrays, **arrays}, chosen=about)

    def without(self, *names: str) -> "Run":
        """The same run, of itself and of its cores, without some arrays; their memory is free."""
        arrays = {name: array for name, array in self.arrays.items() if name not in names}
        about = {name: chosen for name, chosen in self.chosen.items() if name not in names}
        cores = tuple(core.without(*names) for core in self.cores)
        return replace(self, arrays=arrays, chosen=about, cores=cores)

    def part(self, samples: slice) -> "Run":
        """What some of the samples did: of arrays that go by samples, and are kept for all."""
        arrays = {
            name: array[samples]
            for name, array in self.arrays.items()
            if FIELDS[name][0] == "sample" and self.chosen.get(name, ALL).samples is None
        }
        about = {name: chosen for name, chosen in self.chosen.items() if name in arrays}
        cores = tuple(core.part(samples) for core in self.cores)
        return replace(self, arrays=arrays, chosen=about, cores=cores)

    def total(self, name: str) -> int:
        """Sum of a counter over all samples, ticks and cores."""
        return int(self.by_sample(name).sum())

    def by_sample(self, name: str) -> IntArray:
        """Sums int64[B] of a counter over ticks, neurons and cores."""
        if self.cores and name not in self.arrays:
            return np.sum([core.by_sample(name) for core in self.cores], axis=0)
        array = getattr(self, name)
        return array.reshape(len(array), -1).sum(axis=1, dtype=np.int64)

    def of(self, name: str, population: str) -> NDArray[Any]:
        """An array's part of a population, ``[..., size]``, in the population's own order.

        Raises
        ------
        DataError
            The run knows no such population, or did not keep the array for all of its neurons.
        """
        if population not in self.layout:
            raise DataError(f"the run of {self.name} has no population {population!r}")
        pieces, out = self.layout[population], None
        size = max(piece.members.stop for piece in pieces)
        for piece in pieces:
            core = self.cores[piece.tile] if self.cores else self
            part = core._columns(name, piece.neurons)
            if out is None:
                # Only now are type and other axes known; pieces may lie on different cores.
                out = np.zeros((*part.shape[:-1], size), part.dtype)
            out[..., piece.members.start : piece.members.stop] = part
        assert out is not None, "a population has at least one piece"
        return out

    def _columns(self, name: str, neurons: range) -> NDArray[Any]:
        """The columns of some neurons in an array whose last axis they are."""
        about = self.chosen.get(name, ALL)
        if name == "final_membranes" and (name not in self.arrays or about.samples is not None):
            # Memories are read back after the last sample only; the probe saw every tick.
            return self._columns("membranes", neurons)[:, -1]
        array, columns = getattr(self, name), about.neurons
        if columns is None:
            return array[..., neurons.start : neurons.stop]
        # Rising, so that neurons side by side stand side by side, if they are there at all.
        first = int(np.searchsorted(columns, neurons.start))
        if not np.array_equal(columns[first : first + len(neurons)], np.asarray(neurons)):
            raise DataError(
                f"the run of {self.name} kept no {name} of neurons "
                f"{neurons.start}..{neurons.stop - 1}"
            )
        return array[..., first : first + len(neurons)]

    def __eq__(self, other: object) -> bool:
        """Whether both kept the same arrays, with the same in them; wall time does not count."""
        if not isinstance(other, Run):
            return NotImplemented
        return (
            self.arrays.keys() == other.arrays.keys()
            and self.cores == other.cores
            and dict(self.layout) == dict(other.layout)
            and all(np.array_equal(value, other.arrays[n]) for n, value in self.arrays.items())
        )

    __hash__ = None  # type: ignore[assignment]  # what is compared by its arrays has no hash

    def __repr__(self) -> str:
        words = [f"{self.samples} samples"]
        if self.ticks:
            words.append(f"{self.ticks} ticks")
        if self.cores:
            words.append(f"{len(self.cores)} cores")
        return f"<run of {self.name}: {', '.join(words)}; {', '.join(sorted(self.kept))}>"

    def _repr_html_(self) -> str:
        """A table of what was kept, for notebooks."""
        rows = "".join(
            f"<tr><td>{name}</td><td>{' × '.join(map(str, array.shape))}</td>"
            f"<td>{', '.join(FIELDS[name])}</td></tr>"
            for name, array in self.arrays.items()
        )
        head = repr(self).strip("<>").partition(";")[0]
        return f"<table><caption>{head}</caption>{rows}</table>"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The first place where two runs part.

    ``tick`` is -1 for what comes before tick 0 and ``None`` where an array goes by no ticks;
    ``where`` names the rest of the place (a neuron, an axon, a slot), and ``core`` the core on a
    mesh. ``left`` and ``right`` are the values of both runs, and ``by`` who they are.
    ``compared`` are the arrays that both had.
    """

    sample: int | None
    tick: int | None
    what: str
    where: str
    left: Any
    right: Any
    by: tuple[str, str]
    core: str = ""
    compared: tuple[str, ...] = ()

    def __str__(self) -> str:
        ticks = None if self.tick is None else f"tick {self.tick}"
        sample = None if self.sample is None else f"sample {self.sample}"
        place = ", ".join(word for word in (self.core, sample, ticks, self.where) if word)
        ours, theirs = self.by
        what = self.what.replace("_", " ")
        told = f"{what} {self.left} by {ours}, {self.right} by {theirs}"
        return f"{place}: {told}" if place else told

    def of_sample(self, number: int) -> "Difference":
        """The same of a sample that was compared alone, by its number among all."""
        return self if self.sample is None else replace(self, sample=number)

    def _order(self) -> tuple[float, float]:
        """First by sample, then by tick; what a sample leaves behind comes after its ticks."""
        none = float("inf")
        return (
            none if self.sample is None else self.sample,
            none if self.tick is None else self.tick,
        )


def comparable(a: Run, b: Run) -> tuple[str, ...]:
    """Names of the arrays that both runs kept, in the order of `FIELDS`."""
    shared = {n for n in a.arrays if n in b.arrays and _overlap(a, b, n)}
    for ours, theirs in zip(a.cores, b.cores, strict=False):
        shared.update(comparable(ours, theirs))
    return tuple(name for name in FIELDS if name in shared)


def difference(a: Run, b: Run, fields: Collection[str] | None = None) -> Difference | None:
    """Name the first place where two runs of the same samples part; ``None`` if nowhere.

    Arrays that only one of them kept cannot be compared, nor can samples and neurons for which one
    of them kept none: `comparable` says which arrays remain.

    Parameters
    ----------
    fields:
        Compare only these.

    Raises
    ------
    SimulationError
        There is nothing that both kept: two runs that were not compared are not equal.
    """
    both = tuple(name for name in comparable(a, b) if fields is None or name in fields)
    if not both:
        raise SimulationError(
            f"nothing of {a.name} ({_names(a)}) can be compared with {b.name} ({_names(b)})"
        )
    for axis in ("samples", "ticks"):
        ours, theirs = getattr(a, axis), getattr(b, axis)
        if ours != theirs and ours and theirs:  # what goes by no ticks knows none
            return _whole(a, b, axis, ours, theirs, both)
    if len(a.cores) != len(b.cores):
        return _whole(a, b, "cores", len(a.cores), len(b.cores), both)
    partings = [*_parts(a, b, both)]
    return replace(min(partings, key=Difference._order), compared=both) if partings else None


def _overlap(a: Run, b: Run, name: str) -> bool:
    """Whether both kept an array for some sample and neuron in common."""
    ours, theirs = a.chosen.get(name, ALL), b.chosen.get(name, ALL)
    for mine, other in ((ours.samples, theirs.samples), (ours.neurons, theirs.neurons)):
        for kept in (mine, other):
            if kept is not None and not len(kept):
                return False
        if mine is not None and other is not None and not len(np.intersect1d(mine, other)):
            return False
    return True


def together(runs: Sequence[Run]) -> Run:
    """One run of all samples of several of the same kind, in their order."""
    first, *_ = runs
    arrays = {}
    for name in first.arrays:
        parts = [run.arrays[name] for run in runs]
        if name == "sent":
            # A packet names its sample: count on where the run before ended.
            offsets = np.cumsum([0, *(run.samples for run in runs[:-1])])
            column = np.eye(1, 6, dtype=np.int64)
            parts = [part + k * column for part, k in zip(parts, offsets, strict=True)]
        arrays[name] = np.concatenate(parts)
    cores = [together([run.cores[k] for run in runs]) for k in range(len(first.cores))]
    seconds = sum(run.seconds for run in runs)
    return replace(first, arrays=arrays, cores=tuple(cores), seconds=seconds)


def _names(run: Run) -> str:
    return ", ".join(sorted(run.kept)) or "nothing"


def _whole(a: Run, b: Run, what: str, left: Any, right: Any, both: tuple[str, ...]) -> Difference:
    """A difference of everything at once."""
    return Difference(
        sample=None,
        tick=None,
        what=what,
        where="",
        left=left,
        right=right,
        by=(a.by, b.by),
        core=a.core,
        compared=both,
    )


def _parts(a: Run, b: Run, names: tuple[str, ...]) -> Iterator[Difference]:
    """The first difference of each array, and of each array of each core."""
    for name in names:
        if name in a.arrays and name in b.arrays:
            parting = _first(a, b, name)
            if parting is not None:
                yield parting
    for ours, theirs in zip(a.cores, b.cores, strict=True):
        yield from _parts(ours, theirs, names)


def _first(a: Run, b: Run, name: str) -> Difference | None:
    """The first difference of one array."""
    if name == "sent":  # packets of a tick leave in any order
        return _first_packet(a, b)
    axes = FIELDS[name]
    left, samples, neurons = _common(a, b, name)
    right, _, _ = _common(b, a, name)
    if left.shape != right.shape:
        return _whole(a, b, f"{name}: shape", left.shape, right.shape, (name,))
    if np.array_equal(left, right):
        return None
    # Axes stand in the order of time, so that the first place in memory is the first in time.
    at = tuple(int(i) for i in np.unravel_index(np.argmax(left != right), left.shape))
    place = dict(zip(axes, at, strict=True))
    sample, tick = place.pop("sample", None), place.pop("tick", None)
    if "time" in place:
        tick = place.pop("time") - 1
    if sample is not None and samples is not None:
        sample = int(samples[sample])
    if "neuron" in place and neurons is not None:
        place["neuron"] = int(neurons[place["neuron"]])
    return Difference(
        sample=sample,
        tick=tick,
        what=name,
        where=", ".join(f"{axis} {index}" for axis, index in place.items()),
        left=left[at].item(),
        right=right[at].item(),
        by=(a.by, b.by),
        core=a.core,
    )


def _common(a: Run, b: Run, name: str) -> tuple[NDArray[Any], IntArray | None, IntArray | None]:
    """An array of ``a``, only the samples and neurons that ``b`` kept too, and which these are."""
    array, ours, theirs = a.arrays[name], a.chosen.get(name, ALL), b.chosen.get(name, ALL)
    both: list[IntArray | None] = []
    for axis, mine, other in (
        ("sample", ours.samples, theirs.samples),
        ("neuron", ours.neurons, theirs.neurons),
    ):
        if axis not in FIELDS[name] or (mine is None and other is None):
            both.append(None)
            continue
        at = FIELDS[name].index(axis)
        whole = np.arange(array.shape[at]) if mine is None else mine
        kept = whole if other is None else np.intersect1d(whole, other)
        # Both rise, so that what is kept of both is found by halving.
        array = np.take(array, np.searchsorted(whole, kept), axis=at)
        both.append(kept)
    return array, both[0], both[1]


def _first_packet(a: Run, b: Run) -> Difference | None:
    """The first packet that only one of two runs sent."""
    # By sample and tick first: rows begin with them.
    left, right = (sorted(map(tuple, run.sent.tolist())) for run in (a, b))
    if left == right:
        return None
    for k in range(max(len(left), len(right))):
        ours, theirs = (rows[k] if k < len(rows) else None for rows in (left, right))
        if ours != theirs:
            sample, tick = min(row for row in (ours, theirs) if row is not None)[:2]
            return Difference(
                sample=sample,
                tick=tick,
                what="packet (axon, delay, dx, dy)",
                where="",
                left=ours and ours[2:],
                right=theirs and theirs[2:],
                by=(a.by, b.by),
                core=a.core,
            )
    raise AssertionError("lists that differ differ somewhere")
