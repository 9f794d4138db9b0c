"""Awake bits of groups, for memories that cannot write one bit."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory

__all__ = ["write_whole_words"]


def write_whole_words(
    m: Module, awake: Any, bit_bits: int, begin: Signal, write: memory.WritePort
) -> None:
    """Collect awake bits and write them a word at a time.

    Groups come in order: a word is complete when one of another word comes, or the next tick
    begins. Bits of groups that were not visited are 0: these were asleep, and stay so.

    Parameters
    ----------
    awake : AwakePort
    bit_bits : int
        Bits of a group's number that choose its bit in a word.
    begin : Signal
        A tick begins; nothing is read before the next cycle.
    write : memory.WritePort
        Of whole words.
    """
    # Block RAM has no write enable for a bit, and a read in front of every write would take a
    # second port. Groups come in rising order, so that a register can collect a word instead.
    word = awake.group[bit_bits:]
    bit = Signal.like(write.data, name="awake_bit")
    collected, address = Signal.like(write.data, name="collected"), Signal.like(write.addr)
    pending, other_word = Signal(name="pending"), Signal(name="other_word")
    m.d.comb += [
        bit.eq(awake.value << awake.group[:bit_bits]),
        other_word.eq(address != word),
        # The write comes while the next word's first bit is taken, and costs no cycle of its own.
        # The last word of a tick waits for the next tick to begin; FETCH reads it a cycle later at
        # the earliest.
        write.en.eq(pending & (begin | (awake.enable & other_word))),
        write.addr.eq(address),
        write.data.eq(collected),
    ]
    with m.If(awake.enable):
        m.d.sync += [
            pending.eq(1),
            address.eq(word),
            # A new word starts empty: a group that was passed over slept, and its bit is 0.
            collected.eq(Mux(pending & ~other_word, collected, 0) | bit),
        ]
    with m.Elif(begin):
        m.d.sync += pending.eq(0)
