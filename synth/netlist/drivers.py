"""What drives the nets of a netlist."""

from collections.abc import Collection, Iterator

from spikewatt.base.errors import NetlistError
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.netlist import ONE, ZERO, Netlist

__all__ = ["check_drivers"]


def check_drivers(
    netlist: Netlist, library: Library, boxed: Collection[int] = ()
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Nets that are read and not driven; and those of ``boxed`` that nothing else drives.

    Parameters
    ----------
    boxed:
        Nets at pins that may drive them.

    Raises
    ------
    NetlistError
        A net with two drivers, one of which at least is no three-state driver.
    """
    # Constants drive too: a gate's output on one of them is a fault.
    driver: dict[int, str] = {ZERO: "constant 0", ONE: "constant 1"}
    floating: set[int] = set()
    for net, name, may_float in _drivers(netlist, library):
        if net in driver and not (may_float and net in floating):
            raise NetlistError(
                f"net {_name(netlist, net)} has two drivers, {driver[net]} and {name}: "
                "only drivers that may float (three_state) can share a net"
            )
        driver[net] = name
        floating |= {net} if may_float else set()
    # What is outside may drive these.
    external = {
        n for port in netlist.ports.values() if port.direction == "inout" for n in port.nets
    }
    lone = set(boxed) - driver.keys() - external
    undriven = set(_readers(netlist, library)) - driver.keys() - external - lone
    return tuple(sorted(undriven)), tuple(sorted(lone))


def _name(netlist: Netlist, net: int) -> str:
    return netlist.names[net][0] if netlist.names[net] else str(net)


def _drivers(netlist: Netlist, library: Library) -> Iterator[tuple[int, str, bool]]:
    """Nets, what drives them, and whether it may float."""
    for name, port in netlist.ports.items():
        if port.direction == "input":
            yield from ((net, f"input {name}", False) for net in port.nets)
    outputs = {
        kind: [
            (name, pin.three_state is not None)
            for name, pin in cell.pins.items()
            if pin.direction == "output" or (pin.direction == "inout" and pin.function is not None)
        ]
        for kind, cell in library.cells.items()
    }
    for cell in netlist.instances:
        for pin, may_float in outputs[cell.type]:
            if pin in cell.pins:
                yield cell.pins[pin], f"{cell.name}.{pin}", may_float
    for memory in netlist.memories:
        for number, port in enumerate(memory.ports):
            if port.kind == "read":
                yield from ((net, f"{memory.name} (port {number})", False) for net in port.data)


def _readers(netlist: Netlist, library: Library) -> Iterator[int]:
    for port in netlist.ports.values():
        if port.direction == "output":
            yield from port.nets
    inputs = {
        kind: [name for name, pin in cell.pins.items() if pin.direction == "input"]
        for kind, cell in library.cells.items()
    }
    for cell in netlist.instances:
        yield from (cell.pins[pin] for pin in inputs[cell.type])
    for memory in netlist.memories:
        for port in memory.ports:
            if port.clock is not None:
                yield port.clock
            yield from port.enable
            yield from port.address
            if port.kind == "write":
                yield from port.data
