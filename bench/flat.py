"""A netlist as one flat Verilog module, each net with one name: ``n17``."""

from collections.abc import Iterable, Iterator, Sequence

from spikewatt.synth.netlist.netlist import ONE, ZERO, Memory, MemoryPort, Netlist

__all__ = ["flat_verilog", "net_name"]


def net_name(net: int) -> str:
    """What ``flat_verilog`` calls a net."""
    return {ZERO: "1'b0", ONE: "1'b1"}.get(net, f"n{net}")


def flat_verilog(netlist: Netlist) -> str:
    """Verilog of a netlist, its memories as arrays of zeros that are read before they are written.

    No simulator does better with the hierarchy, and every net can be told from every other.
    """
    lines = [f"module {netlist.name} ({', '.join(netlist.ports)});"]
    for name, port in netlist.ports.items():
        nets = _bus(port.nets)
        left, right = (nets, name) if port.direction == "input" else (name, nets)
        lines.append(f"  {port.direction} [{len(port.nets) - 1}:0] {name};")
        lines.append(f"  assign {left} = {right};")
    wires = [f"  wire {net_name(net)};" for net in range(2, len(netlist.names))]
    lines[1:1] = wires
    for number, cell in enumerate(netlist.instances):
        pins = ", ".join(f".{pin}({net_name(net)})" for pin, net in cell.pins.items())
        lines.append(f"  {cell.type} i{number} ({pins});")
    for number, memory in enumerate(netlist.memories):
        lines += _memory(memory, f"m{number}")
    return "\n".join([*lines, "endmodule", ""])


def _bus(nets: Sequence[int]) -> str:
    return f"{{{', '.join(map(net_name, reversed(nets)))}}}"


def _memory(memory: Memory, name: str) -> Iterator[str]:
    yield f"  reg [{memory.width - 1}:0] {name} [0:{memory.words - 1}];"
    yield f"  integer {name}_row;"
    loop = f"{name}_row = 0; {name}_row < {memory.words}; {name}_row = {name}_row + 1"
    yield f"  initial for ({loop}) {name}[{name}_row] = 0;"
    for number, port in enumerate(memory.ports):
        row, read = f"{name}[{_bus(port.address)}]", f"{name}_{number}"
        if port.kind == "write":
            yield from _always(port, _writes(port, row))
        elif port.clock is None:
            yield f"  assign {_bus(port.data)} = {row};"
        else:
            yield f"  reg [{memory.width - 1}:0] {read};"
            yield f"  assign {_bus(port.data)} = {read};"
            yield from _always(port, [f"if ({net_name(port.enable[0])}) {read} <= {row};"])


def _always(port: MemoryPort, statements: Iterable[str]) -> Iterator[str]:
    edge = "posedge" if port.rising else "negedge"
    yield f"  always @({edge} {net_name(port.clock or ZERO)}) begin"
    yield from (f"    {statement}" for statement in statements)
    yield "  end"


def _writes(port: MemoryPort, row: str) -> Iterator[str]:
    """Bits that share an enable, a run of them at a time, are written together."""
    start = 0
    for bit in range(1, len(port.data) + 1):
        if bit == len(port.data) or port.enable[bit] != port.enable[start]:
            data = _bus(port.data[start:bit])
            yield f"if ({net_name(port.enable[start])}) {row}[{start} +: {bit - start}] <= {data};"
            start = bit
