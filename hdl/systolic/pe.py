"""The processing element."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewatt.model.params.systolic import SystolicParams

__all__ = ["ProcessingElement"]


class ProcessingElement(wiring.Component):
    """Holds weights, multiplies, adds: ``sum_o = sum_i + activation * weight``.

    Combinational but for the weights; the array puts registers between elements. With
    ``isolate_weights`` a zero weight is not stored: a flag stands for it, and the multiplier sees
    no activation then. Where the core has live bits, one that is clear takes the product away.

    Parameters
    ----------
    params : SystolicParams
    sum_bits : int
        Width of ``sum_o``; sums wrap.

    Members
    -------
    load : In(buffers)
        Take ``weight`` into this buffer.
    weight : In(signed(weight_bits)), weight_live : In(1)
        ``weight_live``: it is not zero.
    buffer : In(1)
        The buffer that is used.
    activation : In(activation_bits), live : In(1)
    sum_i, sum_o : In, Out(signed(sum_bits))
    held, held_live : Out
        What ``load[0]`` left; the element below takes it where weights are shifted in.
    """

    load: Signal
    weight: Signal
    weight_live: Signal
    buffer: Signal
    activation: Signal
    live: Signal
    sum_i: Signal
    sum_o: Signal
    held: Any
    held_live: Signal

    def __init__(self, params: SystolicParams, *, sum_bits: int) -> None:
        self._params = params
        weight, total = signed(params.weight_bits), signed(sum_bits)
        super().__init__(
            {
                "load": In(params.buffers),
                "weight": In(weight),
                "weight_live": In(1),
                "buffer": In(1),
                "activation": In(unsigned(params.activation_bits)),
                "live": In(1),
                "sum_i": In(total),
                "sum_o": Out(total),
                "held": Out(weight).array(params.buffers),
                "held_live": Out(params.buffers),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Registers of the weights, one product, one sum."""
        params = self._params
        m = Module()
        for buffer in range(params.buffers):
            with m.If(self.load[buffer]):
                if params.isolate_weights:
                    # The flag is enough for a zero: the wide register keeps what it had.
                    m.d.sync += self.held_live[buffer].eq(self.weight_live)
                    with m.If(self.weight_live):
                        m.d.sync += self.held[buffer].eq(self.weight)
                else:
                    m.d.sync += self.held[buffer].eq(self.weight)
        weight, weighs = Signal(signed(params.weight_bits)), Signal()
        if params.double_buffer:
            m.d.comb += [
                weight.eq(Mux(self.buffer, self.held[1], self.held[0])),
                weighs.eq(Mux(self.buffer, self.held_live[1], self.held_live[0])),
            ]
        else:
            m.d.comb += [weight.eq(self.held[0]), weighs.eq(self.held_live[0])]
        activation = Signal.like(self.activation, name="operand")
        m.d.comb += activation.eq(self.activation)
        if params.isolate_weights:
            # A stale weight must not count, and with an operand of 0 the multiplier stands still.
            m.d.comb += activation.eq(Mux(weighs, self.activation, 0))
        product = Signal(signed(params.activation_bits + params.weight_bits))
        m.d.comb += product.eq(activation * weight)
        if params.has_live:
            with m.If(~self.live):
                # Behind the multiplier: the register of a dead activation is held, so that the
                # operand does not change either.
                m.d.comb += product.eq(0)
        # Sums wrap; the mapper makes accumulators as wide as the widest sum of the network.
        m.d.comb += self.sum_o.eq(self.sum_i + product)
        return m
