"""One lane of a leaky integrate-and-fire neuron: combinational."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spikewatt.model.params import (
    LEAK_BITS,
    LEAK_FRACTION_BITS,
    RESET_BITS,
    Compare,
    CoreParams,
    Leak,
    Reset,
)

__all__ = ["FireUnit", "LeakUnit"]


class LeakUnit(wiring.Component):
    """What a tick leaves of a membrane.

    Only the kinds of leak in ``params.leaks``, and the shifts in ``params.shifts``, are built.

    Parameters
    ----------
    params : CoreParams

    Members
    -------
    membrane : In(signed(state_bits))
    kind : In
    amount : In
        The value subtracted, the number of the shift, or the multiplier in 1/4096.
    decayed : Out(signed(state_bits))
    """

    membrane: Signal
    kind: Signal
    amount: Signal
    decayed: Signal

    def __init__(self, params: CoreParams) -> None:
        self._params = params
        membrane = signed(params.state_bits)
        super().__init__(
            {
                "membrane": In(membrane),
                "kind": In(LEAK_BITS),
                "amount": In(params.leak_amount_bits),
                "decayed": Out(membrane),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Choose among the kinds that are built."""
        m = Module()
        built = {
            Leak.NONE: self._none,
            Leak.SUBTRACT: self._subtract,
            Leak.SHIFT: self._shift,
            Leak.MULTIPLY: self._multiply,
        }
        with m.Switch(self.kind):
            # The first kind is the default: no case is left over for a multiplexer to invent.
            for kind in self._params.leaks[1:]:
                with m.Case(kind):
                    built[kind](m)
            with m.Default():
                built[self._params.leaks[0]](m)
        return m

    def _none(self, m: Module) -> None:
        m.d.comb += self.decayed.eq(self.membrane)

    def _subtract(self, m: Module) -> None:
        """Go towards 0 and stop there."""
        v = self.membrane
        # The field is as wide as the widest kind of leak asks for; `check_type` allows no more than
        # this.
        amount = self.amount[: self._params.state_bits - 1]
        # A bit more: past 0 by the largest amount is further than a membrane can be.
        nearer = Signal(signed(self._params.state_bits + 1), name="nearer")
        if self._params.registered:  # one carry chain: v + amount, or v + ~amount + 1
            step, up = Cat(amount, 0).as_signed(), v[-1]
            chain = Cat(1, v).as_signed() + Cat(~up, Mux(up, step, ~step)).as_signed()
            m.d.comb += nearer.eq(chain >> 1)
        else:
            m.d.comb += nearer.eq(Mux(v < 0, v + amount, v - amount))
        # Where the sign has changed it went past 0, and 0 is what is left.
        with m.If((nearer < 0) == (v < 0)):
            m.d.comb += self.decayed.eq(nearer)

    def _shift(self, m: Module) -> None:
        """``v - (v >> k)``, arithmetic."""
        lost = Signal.like(self.membrane, name="lost")
        # Shifts that are built are multiplexed wires, and their number is what the table holds: a
        # barrel shifter would build all of them.
        with m.Switch(self.amount):
            for number, shift in enumerate(self._params.shifts[1:], start=1):
                with m.Case(number):
                    m.d.comb += lost.eq(self.membrane >> shift)
            with m.Default():
                m.d.comb += lost.eq(self.membrane >> self._params.shifts[0])
        m.d.comb += self.decayed.eq(self.membrane - lost)

    def _multiply(self, m: Module) -> None:
        """``floor(v m / 4096)``."""
        factor = self.amount[:LEAK_FRACTION_BITS]
        # An arithmetic shift rounds towards minus infinity, as the golden model does: -1 stays -1
        # at any factor above 0.
        m.d.comb += self.decayed.eq((self.membrane * factor) >> LEAK_FRACTION_BITS)


class FireUnit(wiring.Component):
    """Saturation, comparison, reset and refractoriness of one neuron.

    Where windows are built, a neuron that has one is compared with ``ceil(threshold / 2)``.
    Combinational; where ``params.registered`` is set, registers between comparison and reset, which
    follow the inputs in a cycle with ``advance``.

    Parameters
    ----------
    params : CoreParams
    total_bits : int
        Width of ``total``.

    Members
    -------
    total : In(signed(total_bits))
        Leaked membrane, input and bias together.
    membrane, refractory : In
        State before the tick.
    threshold : In
    reset, compare, silent, period : In
        The neuron's type; ``period`` is its number of refractory ticks.
    windowed : In(1)
        Only with ``params.window_bits``.
    advance : In(1)
        Only with ``params.registered``.
    after, refractory_after : Out
        State after the tick.
    spike : Out(1)
    """

    total: Signal
    membrane: Signal
    refractory: Signal
    threshold: Signal
    reset: Signal
    compare: Signal
    silent: Signal
    period: Signal
    windowed: Signal
    advance: Signal
    after: Signal
    refractory_after: Signal
    spike: Signal

    def __init__(self, params: CoreParams, *, total_bits: int) -> None:
        self._params = params
        membrane = signed(params.state_bits)
        super().__init__(
            {
                "total": In(signed(total_bits)),
                "membrane": In(membrane),
                "refractory": In(params.refractory_bits),
                "threshold": In(params.state_bits - 1),
                "reset": In(RESET_BITS),
                "compare": In(1),
                "silent": In(1),
                "period": In(params.refractory_bits),
                "after": Out(membrane),
                "refractory_after": Out(params.refractory_bits),
                "spike": Out(1),
                **({"windowed": In(1)} if params.window_bits else {}),
                **({"advance": In(1)} if params.registered else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Saturate once, compare, reset; hold everything while refractory."""
        m = Module()
        v, refractory = Signal(signed(self._params.state_bits)), Signal(name="is_refractory")
        m.d.comb += [
            # Once, after everything is added: saturating in between would depend on the order.
            v.eq(self._saturated()),
            refractory.eq(self.refractory != 0),
        ]
        fires = self._kept(m, self._fires(v) & ~self.silent & ~refractory, "kept_fires")
        v = self._kept(m, v, "kept_saturated")
        refractory = self._kept(m, refractory, "kept_is_refractory")
        before = self._kept(m, self.membrane, "kept_membrane")
        count = self._kept(m, self.refractory, "kept_refractory")
        after = self._resets(m, v)
        reset = self._kept(m, self.reset, "kept_reset")
        period = self._kept(m, self.period, "kept_period")
        m.d.comb += self.spike.eq(fires)
        with m.If(refractory):
            # A refractory neuron loses this tick's input and leak, and holds its membrane.
            m.d.comb += [self.after.eq(before), self.refractory_after.eq(count - 1)]
        with m.Elif(self.spike):
            with m.Switch(reset):
                for kind in self._params.resets[1:]:
                    with m.Case(kind):
                        m.d.comb += self.after.eq(after[kind])
                with m.Default():
                    m.d.comb += self.after.eq(after[self._params.resets[0]])
            # Counted from the next tick on: a period of 0 leaves the neuron ready at once.
            m.d.comb += self.refractory_after.eq(period)
        with m.Else():
            m.d.comb += self.after.eq(v)
        return m

    def _saturated(self) -> Value:
        """The nearest membrane to the total."""
        low, high = self._params.membrane_range
        if not self._params.registered:
            return Mux(self.total > high, high, Mux(self.total < low, low, self.total))
        # Look-up tables see at once that all bits are the sign; comparisons would be carry chains.
        sign, beyond = self.total[-1], self.total[self._params.state_bits - 1 :]
        fits = beyond.all() | ~beyond.any()
        return Mux(fits, self.total, Mux(sign, low, high))

    def _kept(self, m: Module, value: Value, name: str) -> Value:
        """Return a value of the comparison as the reset sees it."""
        if not self._params.registered:
            return value
        kept = Signal.like(value, name=name)
        m.d.sync += kept.eq(Mux(self.advance, value, kept))
        return kept

    def _fires(self, v: Signal) -> Value:
        compares = self._params.compares
        # Thresholds are not negative, one bit narrower than a membrane, and unsigned; Amaranth
        # compares by value.
        greater, reached = v > self.threshold, v >= self.threshold
        if self._params.window_bits:
            # Twice the membrane against the whole threshold: nothing is rounded.
            greater = Mux(self.windowed, (v << 1) > self.threshold + 1, greater)
            reached = Mux(self.windowed, (v << 1) >= self.threshold, reached)
        if len(compares) == 1:
            return greater if compares[0] is Compare.GREATER else reached
        return Mux(self.compare == Compare.GREATER, greater, reached)

    def _resets(self, m: Module, v: Value) -> dict[Reset, Value | int]:
        """Every kind of reset's membrane after a spike."""
        threshold = self._kept(m, self.threshold, "kept_threshold")
        # Subtracting cannot overflow: who fires has half the threshold at least (with a window),
        # and a threshold is no negative number.
        return {Reset.ZERO: 0, Reset.SUBTRACT: v - threshold, Reset.NONE: v}
