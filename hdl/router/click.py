"""Click elements: registers whose clock is a click that they make themselves.

Two-phase bundled data (Peeters, te Beest, de Wit, Mallon, "Click Elements: An Implementation Style
for Data-Driven Compilation", ASYNC 2010). Each element keeps the phase of its links in flip-flops.
Its fire condition, of these phases and its neighbours', is the clock of these flip-flops: they turn
over, the condition ends, and that was a click. Three cells are Instances, for they are more than
logic: the fire buffer, which gives the click its width (and makes the loop visible to Amaranth as
what it is); the matched delay, by which a request comes later than its data; and the
mutual-exclusion element.
"""

from collections.abc import Callable, Sequence
from typing import Any

from amaranth.hdl import (
    Cat,
    ClockDomain,
    ClockSignal,
    Const,
    Instance,
    Module,
    Mux,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.router.link import Link
from spikewatt.model.params import Delays

__all__ = ["Demux", "Fork", "Join", "Merge", "Stage"]


def _delayed(m: Module, request: Value, delay: int, name: str = "matched") -> Signal:
    """A request, ``delay`` ps later."""
    late = Signal(name=f"{name}_request")
    m.submodules[name] = Instance("click_delay", p_D=delay, i_a=request, o_y=late)
    return late


class _Element(wiring.Component):
    """An element with its own click.

    Members of every element: ``rst``, In(1), which empties it.
    """

    rst: Signal

    def __init__(self, delays: Delays, members: dict[str, Any]) -> None:
        self._delays = delays
        super().__init__({"rst": In(1), **members})

    def _click(self, m: Module, condition: Value) -> None:
        """Make the domain ``click``, in which a rising ``condition`` is an edge."""
        # Reset acts by itself: there is no edge to wait for before the first click.
        m.domains.click = ClockDomain(local=True, async_reset=True)
        fire = Signal()
        m.d.comb += [fire.eq(condition), ResetSignal("click").eq(self.rst)]
        # The click's clock comes from flip-flops that it clocks. Through an Instance that is a loop
        # with a delay; as plain logic Amaranth would refuse it.
        m.submodules.fire_buffer = Instance(
            "click_fire", p_D=self._delays.fire, i_a=fire, o_y=ClockSignal("click")
        )


def _waiting(link: Any, phase: Value) -> Value:
    """Whether the link's receiver has not yet taken what was sent in ``phase``."""
    return link.ack ^ phase


class Stage(_Element):
    """A register: holds one token.

    Parameters
    ----------
    shape:
        Of the data.
    delays : Delays
    logic:
        What the data pass before the register; with it, the delay is that of a route.

    Members
    -------
    i : In(Link), o : Out(Link)
    """

    i: Any
    o: Any

    def __init__(
        self, shape: Any, delays: Delays, *, logic: Callable[[Any], Any] | None = None
    ) -> None:
        self._logic = logic
        super().__init__(delays, {"i": In(Link(shape)), "o": Out(Link(shape))})

    def elaborate(self, platform: object) -> Module:
        """Fire when a token has come and the one before has gone."""
        m = Module()
        # Data need no reset: nobody looks at them before a request.
        phase, held = Signal(), Signal.like(self.o.data, reset_less=True)
        delay = self._delays.route if self._logic else self._delays.link
        request = _delayed(m, self.i.req, delay)
        self._click(m, (request ^ phase) & ~_waiting(self.o, phase))
        value = self._logic(self.i.data) if self._logic else self.i.data
        # One flip-flop is acknowledge and request at once: the token has moved from one link to the
        # other.
        m.d.click += [phase.eq(~phase), held.eq(value)]
        m.d.comb += [self.i.ack.eq(phase), self.o.req.eq(phase), self.o.data.eq(held)]
        return m


class Fork(_Element):
    """Copies every token to two links.

    Members
    -------
    i : In(Link), a : Out(Link), b : Out(Link)
    """

    i: Any
    a: Any
    b: Any

    def __init__(self, shape: Any, delays: Delays) -> None:
        super().__init__(
            delays, {"i": In(Link(shape)), "a": Out(Link(shape)), "b": Out(Link(shape))}
        )

    def elaborate(self, platform: object) -> Module:
        """Fire when a token has come and both copies of the one before have gone."""
        m = Module()
        phase, held = Signal(), Signal.like(self.a.data, reset_less=True)
        request = _delayed(m, self.i.req, self._delays.link)
        # One phase for both links: the slower of the two holds the next token up.
        gone = ~_waiting(self.a, phase) & ~_waiting(self.b, phase)
        self._click(m, (request ^ phase) & gone)
        m.d.click += [phase.eq(~phase), held.eq(self.i.data)]
        m.d.comb += self.i.ack.eq(phase)
        for link in (self.a, self.b):
            m.d.comb += [link.req.eq(phase), link.data.eq(held)]
        return m


class Join(_Element):
    """Makes one token of two, one from each link.

    Members
    -------
    a : In(Link), b : In(Link)
    o : Out(Link of a struct with fields ``a`` and ``b``)
    """

    a: Any
    b: Any
    o: Any

    def __init__(self, shape_a: Any, shape_b: Any, delays: Delays) -> None:
        both = data.StructLayout({"a": shape_a, "b": shape_b})
        super().__init__(
            delays, {"a": In(Link(shape_a)), "b": In(Link(shape_b)), "o": Out(Link(both))}
        )

    def elaborate(self, platform: object) -> Module:
        """Fire when both tokens have come and the one before has gone."""
        m = Module()
        phase, held = Signal(), Signal.like(Value.cast(self.o.data), reset_less=True)
        first = _delayed(m, self.a.req, self._delays.link, "matched_a")
        second = _delayed(m, self.b.req, self._delays.link, "matched_b")
        self._click(m, (first ^ phase) & (second ^ phase) & ~_waiting(self.o, phase))
        m.d.click += [
            phase.eq(~phase),
            held.eq(Cat(Value.cast(self.a.data), Value.cast(self.b.data))),
        ]
        m.d.comb += [
            self.a.ack.eq(phase),
            self.b.ack.eq(phase),
            self.o.req.eq(phase),
            self.o.data.eq(held),
        ]
        return m


class Merge(_Element):
    """Takes tokens from two links as they come, and holds one.

    Where both wait, a mutual-exclusion element decides, and the other one is next: a token waits
    for at most one of the other link. The fire condition holds the request beside the grant, for
    the grant outlives it.

    Members
    -------
    a : In(Link), b : In(Link), o : Out(Link)
    """

    a: Any
    b: Any
    o: Any

    def __init__(self, shape: Any, delays: Delays) -> None:
        super().__init__(
            delays, {"a": In(Link(shape)), "b": In(Link(shape)), "o": Out(Link(shape))}
        )

    def elaborate(self, platform: object) -> Module:
        """Fire when a token has come and was granted, and the one before has gone."""
        m = Module()
        # Three phases, since either input may come several times in a row.
        taken_a, taken_b, phase = Signal(), Signal(), Signal()
        held = Signal.like(self.o.data, reset_less=True)
        ask_a, ask_b, grant_a, grant_b = (Signal(name=n) for n in ("ask_a", "ask_b", "a", "b"))
        link = self._delays.link
        m.d.comb += [
            ask_a.eq(_delayed(m, self.a.req, link, "matched_a") ^ taken_a),
            ask_b.eq(_delayed(m, self.b.req, link, "matched_b") ^ taken_b),
        ]
        m.submodules.mutex = Instance(
            "click_mutex",
            p_D=self._delays.mutex,
            i_r0=ask_a,
            i_r1=ask_b,
            o_g0=grant_a,
            o_g1=grant_b,
        )
        # After the click a request is gone at once, its grant only behind the mutual exclusion's
        # delay: the grant alone could fire again.
        granted = (grant_a & ask_a) | (grant_b & ask_b)
        self._click(m, granted & ~_waiting(self.o, phase))
        m.d.click += [
            phase.eq(~phase),
            # At the click one grant is set, and only its side is acknowledged.
            taken_a.eq(taken_a ^ grant_a),
            taken_b.eq(taken_b ^ grant_b),
            # The fire buffer gives this choice its time: the clock comes that much later than the
            # grant.
            held.eq(Mux(grant_b, self.b.data, self.a.data)),
        ]
        m.d.comb += [
            self.a.ack.eq(taken_a),
            self.b.ack.eq(taken_b),
            self.o.req.eq(phase),
            self.o.data.eq(held),
        ]
        return m


class Demux(_Element):
    """A register that sends each token to one of several links.

    It holds one token: the next one waits until this one has gone, wherever it goes.

    Parameters
    ----------
    shape:
        Of the data.
    outputs:
        Number of links.
    route:
        From the data as they come: which link takes them, one hot, and the data as they leave.
    delays : Delays

    Members
    -------
    i : In(Link), o : array of Out(Link)
    """

    i: Any
    o: Any

    def __init__(
        self,
        shape: Any,
        outputs: int,
        route: Callable[[Any], tuple[Sequence[Value], Any]],
        delays: Delays,
    ) -> None:
        self._outputs, self._route = outputs, route
        super().__init__(delays, {"i": In(Link(shape)), "o": Out(Link(shape)).array(outputs)})

    def elaborate(self, platform: object) -> Module:
        """Fire when a token has come and the one before has gone."""
        m = Module()
        taken, held = Signal(), Signal.like(self.i.data, reset_less=True)
        phases = Signal(self._outputs)
        # The data pass the routing logic before the register, so the request has to wait for that.
        request = _delayed(m, self.i.req, self._delays.route)
        gone = Const(1)
        for link, phase in zip(self.o, phases, strict=True):
            # All links must be free, not the chosen one alone: they share the register of the data.
            gone = gone & ~_waiting(link, phase)
            m.d.comb += [link.req.eq(phase), link.data.eq(held)]
        self._click(m, (request ^ taken) & gone)
        chosen, leaving = self._route(self.i.data)
        # A request that turns over is a token: only the chosen link's does.
        m.d.click += [taken.eq(~taken), held.eq(leaving), phases.eq(phases ^ Cat(*chosen))]
        m.d.comb += self.i.ack.eq(taken)
        return m
