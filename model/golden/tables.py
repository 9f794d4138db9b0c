"""What the compiled golden run reads, built from programs: one core's, or those of many tiles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikewatt.model.compile.program import Program
from spikewatt.model.golden.arrays import BLOCK, Blocks, Neurons, Rows, Sends, Tables, Types
from spikewatt.model.params import Compare, Leak

__all__ = ["Links", "build_tables", "core_links"]

IntArray = NDArray[np.int64]
INT16_MAX = np.iinfo(np.int16).max
INT32_MAX = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Links:
    """Destinations: a spike of ``source`` sets the bit of ``axon`` after ``delay``; int[n] each."""

    source: IntArray
    axon: IntArray
    delay: IntArray

    @classmethod
    def join(cls, links: Sequence["Links"]) -> "Links":
        """Return all of them."""
        none = np.zeros(0, np.int64)
        return cls(
            *(
                np.concatenate([none, *(getattr(each, name) for each in links)])
                for name in ("source", "axon", "delay")
            )
        )


def core_links(program: Program, inputs: int) -> Links:
    """Destinations within one core; sources are the inputs, followed by the neurons."""
    count = program.fanout_count
    neuron = np.repeat(np.arange(len(count)), count)
    # Entry numbers of all runs, one after another, without a loop over neurons.
    first = program.fanout_start - np.cumsum(count) + count
    entry = np.arange(count.sum()) + np.repeat(first, count)
    local = (program.dx[entry] == 0) & (program.dy[entry] == 0)
    neuron, entry = neuron[local], entry[local]
    number = np.arange(inputs)
    return Links.join(
        [
            *(
                Links(number, port.axon + number, np.full(inputs, port.delay))
                for port in program.inputs
            ),
            Links(inputs + neuron, program.axon[entry], program.delay[entry]),
        ]
    )


def build_tables(
    tiles: Sequence[Program], links: Links, inputs: int, leaving: IntArray | None = None
) -> Tables:
    """Tables of a run over ``tiles``, all of one size.

    Parameters
    ----------
    links:
        Neuron ``n`` of tile ``k`` is source ``inputs + k * neurons + n``; its axon ``a`` is
        ``k * axons + a``.
    leaving:
        int64[2, tiles * neurons]: packets that a spike sends to other cores, and routers that
        these pass; none by default.
    """
    params = tiles[0].params
    first_type = np.cumsum([0, *(len(tile.types) for tile in tiles)])
    kind = np.concatenate(
        [
            first + np.repeat(tile.group_type, params.lanes)
            for first, tile in zip(first_type, tiles, strict=False)
        ]
    )
    blocks = _blocks(kind, np.concatenate([tile.bias for tile in tiles]))
    if leaving is None:
        leaving = np.zeros((2, len(kind)), np.int64)
    neurons = _neurons(tiles, leaving, np.int32 if _fits_int32(tiles) else np.int64)
    return Tables(
        rows=_rows(tiles, blocks),
        sends=_sends(links, inputs + len(tiles) * params.neurons, params.axons),
        neurons=neurons,
        blocks=blocks,
        types=_types(tiles),
        slots=params.delay_slots,
        tiles=len(tiles),
        limits=np.array(params.membrane_range, neurons.bias.dtype),
    )


def _fits_int32(tiles: Sequence[Program]) -> bool:
    """Whether every step of an update fits 32 bits.

    ``leak(v) + acc + bias`` is the largest sum: ``|leak(v)|`` is at most ``2^(state_bits - 1)``,
    ``|acc|`` at most axons times the largest weight. A reset takes a threshold from a membrane,
    and a comparison by ``>`` adds one to it. A leak by a multiplier of 12 bits needs 12 bits more.
    """
    params = tiles[0].params
    half = params.membrane_range[1] + 1
    bias = max(int(np.abs(tile.bias).max(initial=0)) for tile in tiles)
    multiplies = any(kind.leak is Leak.MULTIPLY for tile in tiles for kind in tile.types)
    widest = max(2 * half, half + params.axons * (1 << params.weight_bits) + bias)
    return max(widest, half << 12 if multiplies else 0) <= INT32_MAX


def _blocks(kind: IntArray, bias: IntArray) -> Blocks:
    """Cut neurons where their type changes, and after every `BLOCK`."""
    number = np.arange(len(kind))
    begins = np.concatenate([[True], kind[1:] != kind[:-1]]) | (number % BLOCK == 0)
    first = np.flatnonzero(begins)
    biased = np.logical_or.reduceat(bias != 0, first)
    return Blocks(first, np.append(first[1:], len(kind)), kind[first], biased)


def _rows(tiles: Sequence[Program], blocks: Blocks) -> Rows:
    params = tiles[0].params
    weights = np.concatenate([tile.synapses.ravel() for tile in tiles])
    words = np.concatenate([tile.row_words for tile in tiles])
    tile = np.repeat(np.arange(len(tiles)), params.axons)
    present = words > 0
    first = np.concatenate([program.row_first for program in tiles])
    base = np.concatenate([program.row_base for program in tiles])
    start = np.where(present, tile * params.neurons + first * params.lanes, 0)
    # With the padding: its weights are 0, and whole words are what SIMD adds.
    length = words * params.lanes
    in_block = np.repeat(np.arange(len(blocks.first)), blocks.end - blocks.first)
    largest = max(-int(weights.min(initial=0)), int(weights.max(initial=0)), 1)
    _, reach = np.unique(start * (params.neurons + 1) + length, return_inverse=True)
    own = {
        "start": start,
        "length": length,
        "reach": reach,
        "base": np.where(present, (tile * params.synapse_words + base) * params.lanes, 0),
        "first_block": np.where(present, in_block[start], 0),
        # A row of nothing wakes nothing.
        "end_block": np.where(present, in_block[start + np.maximum(length - 1, 0)] + 1, 0),
        "stored": np.concatenate([program.fan_out for program in tiles]),
        "words": words,
        "tile": tile,
    }
    return Rows(
        **{name: each.astype(np.uint64) for name, each in own.items()},
        weights=weights,
        # So many rows of the largest weight still fit 16 bits: then sums move on.
        chunk=INT16_MAX // largest,
    )


def _sends(links: Links, sources: int, axons: int) -> Sends:
    # Stable: a source's events keep the order of the destination list.
    order = np.argsort(links.source, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(links.source, minlength=sources))])
    axon, delay = links.axon[order].astype(np.uint32), links.delay[order].astype(np.uint32)
    return Sends(first.astype(np.uint64), axon, delay, axon // axons)


def _neurons(tiles: Sequence[Program], leaving: IntArray, width: type[np.signedinteger]) -> Neurons:
    threshold = np.concatenate([tile.threshold for tile in tiles])
    windowed = np.concatenate([tile.neuron_types("windowed") for tile in tiles])
    strict = np.concatenate([tile.neuron_types("compare") for tile in tiles]) == Compare.GREATER
    bias = np.concatenate([tile.bias for tile in tiles])
    # Among integers `>` is `>=` of one more: the kernel has one comparison.
    bound = np.where(windowed != 0, (threshold + 1) >> 1, threshold) + strict
    own = (each.astype(width) for each in (threshold, bias, bound))
    return Neurons._make([*own, *leaving])


def _types(tiles: Sequence[Program]) -> Types:
    kinds = [kind for tile in tiles for kind in tile.types]
    names = ("leak", "leak_amount", "reset", "silent", "refractory", "windowed", "window_first")
    columns = [[int(getattr(kind, name)) for kind in kinds] for name in names]
    # Without a window there is no end.
    columns.append([kind.window_end if kind.windowed else INT32_MAX for kind in kinds])
    return Types._make(np.array(columns, np.int64))
