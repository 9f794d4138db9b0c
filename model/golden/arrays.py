"""What the compiled golden run reads, works in and writes: arrays in bundles that numba takes."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BLOCK",
    "WORD",
    "Blocks",
    "Kept",
    "Neurons",
    "Rows",
    "Scheduler",
    "Sends",
    "State",
    "Sums",
    "Tables",
    "Types",
    "new_state",
]

BLOCK = 256
"""Most neurons of a block: its membranes, sums and thresholds stay in the first-level cache."""
WORD = 8
"""Flags in a word."""
FLAGS = 64
"""Flags that are looked at together."""

Array = NDArray[Any]


class Rows(NamedTuple):
    """Synapse rows by axon.

    ``start``, ``length``: the neurons that the row reaches, side by side; ``reach``: the same
    number for all rows that reach the same; ``base``: its place in ``weights``. ``first_block`` to
    ``end_block``: what it wakes. ``stored``, ``words``: synapses and
    SRAM words that count for a spike. ``tile``: the core. ``chunk``: rows whose sum fits 16 bits.
    """

    start: Array
    length: Array
    reach: Array
    base: Array
    weights: Array
    first_block: Array
    end_block: Array
    stored: Array
    words: Array
    tile: Array
    chunk: int


class Sends(NamedTuple):
    """Where spikes go: entries ``first[s]`` to ``first[s + 1]`` of source s.

    Sources are the inputs, followed by the neurons. ``tile``: the core of the axon.
    """

    first: Array
    axon: Array
    delay: Array
    tile: Array


class Neurons(NamedTuple):
    """Per neuron, the first three in the type of membranes.

    ``bound``: the lowest membrane that fires. ``packets``, ``hops``: what a spike sends to other
    cores, and the routers that this passes.
    """

    threshold: Array
    bias: Array
    bound: Array
    packets: Array
    hops: Array


class Blocks(NamedTuple):
    """Neurons ``first`` to ``end`` of one type; ``biased``: whether one has a bias."""

    first: Array
    end: Array
    type: Array
    biased: Array


class Types(NamedTuple):
    """Neuron types, an entry each; one without window fires from tick 0 on."""

    leak: Array
    leak_amount: Array
    reset: Array
    silent: Array
    refractory: Array
    windowed: Array
    first: Array
    end: Array


class Tables(NamedTuple):
    """All that a run reads; ``limits``: lowest and highest membrane, in the type of membranes."""

    rows: Rows
    sends: Sends
    neurons: Neurons
    blocks: Blocks
    types: Types
    slots: int
    tiles: int
    limits: Array


class Kept(NamedTuple):
    """All that a run writes.

    ``spikes``: [B, T, k], of the neurons that have a ``column`` there, others have -1.
    ``membranes``: [B, T, m] of the neurons ``watched``, int[m]. ``spike_counts``: [B, N]. ``last``,
    ``refractory``: [B, N] and ``scheduler``: [B, D, A], after the last tick. ``merges``:
    [B, tiles, T + 1]. ``work``: [B, tiles, T, 3]: axons served, synaptic operations, words.
    ``left``: [B, T, 2]: packets that left their cores, and the routers that these pass.
    """

    column: Array
    spikes: Array
    watched: Array
    membranes: Array
    spike_counts: Array
    last: Array
    refractory: Array
    scheduler: Array
    merges: Array
    work: Array
    left: Array


class Scheduler(NamedTuple):
    """Bits by slot and axon; ``pending[slot, :waiting[slot]]``: the axons whose bit is set."""

    bits: Array
    pending: Array
    waiting: Array


class Sums(NamedTuple):
    """Sums of synapses by neuron.

    ``narrow``: 16 bits; ``added``: how many rows are in a block's, at least 1 once one reached it
    in this tick. ``wide``: 32 bits, for what left ``narrow``; ``widened``: if a block has some.
    """

    narrow: Array
    added: Array
    wide: Array
    widened: Array


class State(NamedTuple):
    """A sample's state, and room to work in.

    ``awake``: [blocks]. ``total``, ``fired``: of one block. ``listed``: neurons of a block, or
    inputs. Flags can be read by eights, as words.
    """

    v: Array
    refractory: Array
    scheduler: Scheduler
    sums: Sums
    awake: Array
    total: Array
    fired: Array
    fired_words: Array
    entering: Array
    entering_words: Array
    listed: Array


def new_state(tables: Tables, inputs: int) -> State:
    """Return room for the state of one sample."""
    neurons, axons, blocks = (
        len(each) for each in (tables.neurons.bias, tables.rows.start, tables.blocks.first)
    )
    # 32 bits where every sum fits them: twice as many neurons in a register (`tables._fits_int32`).
    width = tables.neurons.bias.dtype
    fired, entering = (np.zeros(-(-n // FLAGS) * FLAGS, np.uint8) for n in (BLOCK, inputs))
    return State(
        v=np.zeros(neurons, width),
        refractory=np.zeros(neurons, width),
        scheduler=Scheduler(
            np.zeros((tables.slots, axons), np.uint8),
            # One more: `_deliver` writes behind the last one before it knows whether it has to.
            np.zeros((tables.slots, axons + 1), np.uint32),
            np.zeros(tables.slots, np.uint64),
        ),
        sums=Sums(
            np.zeros(neurons, np.int16),
            np.zeros(blocks, np.int32),
            np.zeros(neurons, np.int32),
            np.zeros(blocks, np.uint8),
        ),
        awake=np.zeros(blocks, np.uint8),
        total=np.zeros(BLOCK, width),
        fired=fired,
        fired_words=fired.view(np.uint64),
        entering=entering,
        entering_words=entering.view(np.uint64),
        listed=np.zeros(max(inputs, BLOCK), np.uint32),
    )
