"""Small combinational idioms."""

from amaranth.hdl import Module, Signal, Value

from spikewatt.model.params import bits_for

__all__ = ["clear_lowest", "lowest_set"]


def lowest_set(m: Module, bits: Signal, *, name: str) -> Signal:
    """Index of the lowest set bit of ``bits``; 0 when there is none."""
    index = Signal(bits_for(len(bits)), name=name)
    # The assignment that stands last wins, so the lowest bit goes last.
    for i in reversed(range(len(bits))):
        with m.If(bits[i]):
            m.d.comb += index.eq(i)
    return index


def clear_lowest(bits: Signal) -> Value:
    """``bits`` without its lowest set bit."""
    # Borrowing from the lowest set bit turns it off and all below it on; the AND clears both.
    # Amaranth widens a difference by its sign, which is cut off again.
    return (bits & (bits - 1))[: len(bits)]
