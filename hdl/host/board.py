"""A core with a serial port: what goes onto a board."""

from typing import Any

from amaranth.hdl import ClockDomain, ClockSignal, DomainRenamer, Module, ResetSignal, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spikewatt.hdl.host.bridge import HostBridge
from spikewatt.hdl.host.uart import FEWEST_CLOCKS, MOST_CLOCKS, UartReceiver, UartTransmitter
from spikewatt.model.params.checks import within
from spikewatt.model.params.host import HostParams, core_identity

__all__ = ["Board"]


class Board(wiring.Component):
    """A core that a host reaches over a serial line.

    The core's streams become inputs 0, 1, … and outputs 0, 1, … of the link, in the order of its
    members; ``idle``, where it has one, ends a request's work. Other outputs are left open.

    Parameters
    ----------
    core : wiring.Component
        With ``params``, streams, and outputs.
    clocks_per_bit : int
        Cycles of a bit on the line, 8 to 65 536: clock frequency by baud rate.
    buffer_bytes : int
        Longest frame; twice as much memory is used.
    meter : bool
        Count the core's busy cycles.

    Members
    -------
    rx : In(1), tx : Out(1)
        The serial line, 8N1, both high at rest.
    busy : Out(1)
        A request is being carried out or answered, or the core is at work: for a light.

    Raises
    ------
    ParameterError
        A size out of its range.
    TypeError
        The core has an input that is no stream.
    """

    rx: Signal
    tx: Signal
    busy: Signal

    def __init__(
        self, core: Any, *, clocks_per_bit: int, buffer_bytes: int = 1024, meter: bool = False
    ) -> None:
        self._core, self._clocks = core, clocks_per_bit
        self._inputs, self._outputs = _streams(core)
        self._link = HostParams(
            inputs={name: _width(core, name) for name in self._inputs},
            outputs={name: _width(core, name) for name in self._outputs},
            identity=core_identity(core.params),
            buffer_bytes=buffer_bytes,
            meter=meter,
        )
        within("clocks_per_bit", clocks_per_bit, FEWEST_CLOCKS, MOST_CLOCKS)
        super().__init__({"rx": In(1), "tx": Out(1), "busy": Out(1)})

    @property
    def link(self) -> HostParams:
        """The board's end of the link."""
        return self._link

    def elaborate(self, platform: object) -> Module:
        """Wire pins, bridge and core; the bridge can reset the core."""
        m = Module()
        core = self._core
        m.submodules.receiver = receiver = UartReceiver(clocks_per_bit=self._clocks)
        m.submodules.transmitter = transmitter = UartTransmitter(clocks_per_bit=self._clocks)
        m.submodules.bridge = bridge = HostBridge(self._link)
        # A domain of its own, on the same clock: the host can reset the core and not the link.
        m.domains.hosted = ClockDomain(local=True)
        m.submodules.core = DomainRenamer("hosted")(core)
        wiring.connect(m, receiver.o, bridge.rx)
        wiring.connect(m, bridge.tx, transmitter.i)
        # A core that never tells that it is at rest always counts as such.
        idle = core.idle if "idle" in core.signature.members else 1
        m.d.comb += [
            ClockSignal("hosted").eq(ClockSignal()),
            ResetSignal("hosted").eq(ResetSignal() | bridge.reset),
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            bridge.idle.eq(idle),
            self.busy.eq(bridge.busy | ~bridge.idle),
        ]
        for number, name in enumerate(self._inputs):
            _join(m, getattr(bridge, f"i{number}"), getattr(core, name))
        for number, name in enumerate(self._outputs):
            _join(m, getattr(core, name), getattr(bridge, f"o{number}"))
        return m


def _streams(core: Any) -> tuple[list[str], list[str]]:
    """Names of the streams into and out of a core."""
    ways: dict[Any, list[str]] = {In: [], Out: []}
    for name, member in core.signature.members.items():
        if member.is_signature and isinstance(member.signature, stream.Signature):
            ways[member.flow].append(name)
        # Left undriven it would be 0, and nobody would be told.
        elif member.flow is In:
            raise TypeError(f"{type(core).__name__} has an input {name!r} that is no stream")
    return ways[In], ways[Out]


def _width(core: Any, name: str) -> int:
    return len(Value.cast(getattr(core, name).payload))


def _join(m: Module, source: Any, sink: Any) -> None:
    """Connect streams whose words are equally wide, whatever their shapes."""
    m.d.comb += [
        Value.cast(sink.payload).eq(Value.cast(source.payload)),
        sink.valid.eq(source.valid),
        source.ready.eq(sink.ready),
    ]
