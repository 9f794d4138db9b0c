"""Awake bits of groups, for memories that cannot write one bit."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import memory

__all__ = ["gather"]


def gather(m: Module, awake: Any, bit_bits: int, begin: Signal, write: memory.WritePort) -> None:
    """Write awake bits a word at a time, for memories that cannot write one bit.

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
    word = awake.group[bit_bits:]
    bit = Signal.like(write.data, name="awake_bit")
    gathered, place = Signal.like(write.data, name="gathered"), Signal.like(write.addr)
    held, other = Signal(name="gathering"), Signal(name="other_word")
    m.d.comb += [
        bit.eq(awake.value << awake.group[:bit_bits]),
        other.eq(place != word),
        write.en.eq(held & (begin | (awake.enable & other))),
        write.addr.eq(place),
        write.data.eq(gathered),
    ]
    with m.If(awake.enable):
        m.d.sync += [
            held.eq(1),
            place.eq(word),
            gathered.eq(Mux(held & ~other, gathered, 0) | bit),
        ]
    with m.Elif(begin):
        m.d.sync += held.eq(0)
