"""Hierarchical netlists, as yosys writes them in JSON, made flat."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from spikewatt.base.errors import NetlistError
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.netlist.drivers import check_drivers
from spikewatt.synth.netlist.memories import MEMORY, memory_parameters, read_memory
from spikewatt.synth.netlist.names import bit_names, is_hidden, join, module_path, plain
from spikewatt.synth.netlist.netlist import (
    ONE,
    ZERO,
    BlackBox,
    Instance,
    Memory,
    Netlist,
    Port,
)
from spikewatt.synth.netlist.pins import SUPPLIES, PinTable
from spikewatt.synth.netlist.wires import Wires, WiresOfModule

__all__ = ["flatten", "is_stub"]

_A_FEW = 10
_RECORDED = "spikewatt_recorded"
_NOT_HARDWARE = {"$print", "$check", "$assert", "$assume", "$cover", "$live", "$fair"}


def is_stub(module: Mapping[str, Any]) -> bool:
    """Whether a module stands for something whose contents are elsewhere."""
    attributes = module.get("attributes", {})
    return any("1" in str(attributes.get(key, "")) for key in ("blackbox", "whitebox"))


def flatten(modules: Mapping[str, Any], top: str, library: Library) -> Netlist:
    """Netlist of module ``top`` and of all that it is made of.

    Raises
    ------
    NetlistError
        An instance of something unknown, a net with two drivers, a module that holds itself.
    """
    work = _Work(modules, library)
    work.expand(top, "", {}, {}, ())
    netlist = work.finish(top)
    known = len(netlist.instances) + len(netlist.memories)
    # Fillers and taps are of a library that nobody has. If nothing else is there, they count too.
    boxes = [box for box in netlist.black_boxes if box.drives or not known]
    # A design may have a few, as macros or analogue blocks. Where a tenth of the cells are unknown,
    # a library is missing, and the sum of the others would be taken for the whole.
    if _A_FEW * len(boxes) > known + _A_FEW or (boxes and not known):
        first: dict[str, str] = {}
        for box in boxes:
            first.setdefault(box.type, box.name)
        raise NetlistError(_unknown(first, library))
    return netlist


def _is_hollow(module: Mapping[str, Any]) -> bool:
    """Whether a module has outputs that nothing in it drives: its contents are elsewhere."""
    ports = module["ports"].values()
    inside = {bit for port in ports if port["direction"] != "output" for bit in port["bits"]}
    outputs = [bit for port in ports if port["direction"] == "output" for bit in port["bits"]]
    return (
        bool(outputs)
        and not module["cells"]
        and not inside.intersection(outputs)
        and all(isinstance(bit, int) for bit in outputs)
    )


def _unknown(unknown: Mapping[str, str], library: Library) -> str:
    kind, name = next(iter(unknown.items()))
    more = f" (and {len(unknown) - 1} more such types)" if len(unknown) > 1 else ""
    if kind.startswith("$"):
        return (
            f"instance {name} is a {kind}, which is not mapped to gates{more}: "
            "map the design to a library first (spikewatt synth)"
        )
    return (
        f"instance {name} is of type {kind}, which library {library.name} does not hold{more}: "
        "give the library that the netlist was mapped to, or add the module to the netlist"
    )


class _Work:
    """A netlist in the making."""

    def __init__(self, modules: Mapping[str, Any], library: Library) -> None:
        self._modules = modules
        self._library = library
        self._pins = PinTable(library)
        self._wires = Wires()
        self._public: list[tuple[int, str]] = []
        self._hidden: list[tuple[int, str]] = []
        self._ascending: set[str] = set()
        self._recorded: dict[int, str] = {}
        self._instances: list[Instance] = []
        self._memories: list[Memory] = []
        self._ports: dict[str, Port] = {}
        self._attributes: dict[str, dict[str, str]] = {}
        self._hierarchy: dict[str, str] = {}
        self._boxes: list[tuple[str, str, list[int]]] = []
        self._boxed: set[int] = set()

    def expand(
        self,
        kind: str,
        path: str,
        attributes: Mapping[str, str],
        outside: Mapping[str, Sequence[int | None]],
        within: tuple[str, ...],
    ) -> None:
        """Add what an instance of a module holds.

        Parameters
        ----------
        attributes:
            The instance's own.
        outside:
            Wires at its ports; ``None`` for a bit that is left open.
        within:
            Types of the modules around it.
        """
        # Otherwise it would be expanded for ever.
        if kind in within:
            raise NetlistError(f"module {kind} holds an instance of itself ({path})")
        module = self._modules[kind]
        self._attributes[path] = {**module.get("attributes", {}), **attributes}
        wires = WiresOfModule(self._wires)
        for name, port in module["ports"].items():
            for bit, wire in zip(port["bits"], outside.get(name, ()), strict=False):
                # A port that passes through makes its two outer wires one net.
                if wire is not None and bit != "z":
                    wires.bind(bit, wire, f"port {name} of {path}")
            if not within:
                self._ports[name] = Port(port["direction"], wires.of(port["bits"]))
                self._name(name, port, "", wires)
        for name, net in module["netnames"].items():
            self._name(name, net, path, wires)
        for name, cell in module["cells"].items():
            self._add(name, cell, path, wires, (*within, kind))

    def _name(self, name: str, net: Mapping[str, Any], path: str, wires: WiresOfModule) -> None:
        names = self._hidden if is_hidden(name, net) else self._public
        # On the wire and not on the cell: mapping replaces cells, and keeps what is said of wires.
        if mark := net.get("attributes", {}).get(_RECORDED):
            self._recorded |= {wires[bit]: mark for bit in net["bits"] if bit != "z"}
        if net.get("upto"):
            self._ascending.add(join(path, plain(name)))
        labels = bit_names(join(path, plain(name)), net)
        pairs = zip(net["bits"], labels, strict=True)
        names += [(wires[bit], label) for bit, label in pairs if bit != "z"]

    def _add(
        self,
        name: str,
        cell: Mapping[str, Any],
        path: str,
        wires: WiresOfModule,
        within: tuple[str, ...],
    ) -> None:
        """Add what one cell of a module stands for."""
        kind, full, attributes = cell["type"], join(path, plain(name)), cell.get("attributes", {})
        connections = cell["connections"]
        if kind in self._library.cells:
            self._add_cell(
                Instance(full, kind, _module(path, name, attributes), {}), connections, wires
            )
        elif kind in self._modules and not (
            is_stub(self._modules[kind]) or _is_hollow(self._modules[kind])
        ):
            self._check_ports(full, kind, connections)
            bound = {pin: wires.outside(bits) for pin, bits in connections.items()}
            self._hierarchy[full] = path
            self.expand(kind, full, attributes, bound, within)
        elif kind == "$mem_v2" or MEMORY in attributes:
            module = _module(path, name, attributes)
            try:
                if MEMORY in attributes:
                    cell = {**cell, "parameters": memory_parameters(attributes[MEMORY])}
                self._memories.append(read_memory(full, module, cell, wires.of))
            # A parameter that is missing or odd: the file is named, and not a line of ours.
            except (LookupError, ValueError, ZeroDivisionError) as error:
                raise NetlistError(f"memory {full} is not as yosys writes it ({error!r})") from None
        elif kind == "$scopeinfo":
            self._scope(name, path, attributes)
        elif kind in _NOT_HARDWARE:
            return
        elif kind.startswith("$") and not kind.startswith("$paramod"):
            raise NetlistError(_unknown({kind: full}, self._library))
        else:
            self._add_box(full, kind, connections, wires)

    def _add_cell(
        self, instance: Instance, connections: Mapping[str, Any], wires: WiresOfModule
    ) -> None:
        cell = self._library.cells[instance.type]
        if cell.unusable and SUPPLIES.keys() >= {pin.upper() for pin in connections}:
            self._add_box(instance.name, cell.name, connections, wires)  # a filler, for one
            return
        if cell.unusable:
            raise NetlistError(
                f"instance {instance.name} is of type {cell.name}, which library "
                f"{self._library.name} has and cannot be priced: {cell.unusable}"
            )
        pins = self._pins.connect(instance.name, cell.name, connections, wires)
        # An inout pin of which no function tells drives its net at times.
        self._boxed |= {
            wire
            for pin, wire in pins.items()
            if cell.pins[pin].direction == "inout" and cell.pins[pin].function is None
        }
        self._instances.append(replace(instance, pins=pins))

    def _add_box(
        self, name: str, kind: str, connections: Mapping[str, Any], wires: WiresOfModule
    ) -> None:
        """Add an instance of which only the pins are known, and maybe their directions."""
        ports = self._modules.get(kind, {}).get("ports", {})
        driven = [
            wires[bit]
            for pin, bits in connections.items()
            if pin.upper() not in SUPPLIES and ports.get(pin, {}).get("direction") != "input"
            for bit in bits
            if isinstance(bit, int)
        ]
        self._boxed.update(driven)
        self._boxes.append((name, kind, driven))

    def _check_ports(self, name: str, kind: str, connections: Mapping[str, Any]) -> None:
        for pin in connections:
            if pin not in self._modules[kind]["ports"]:
                raise NetlistError(
                    f"instance {name} connects {pin}, which module {kind} does not have"
                )

    def _scope(self, name: str, path: str, attributes: Mapping[str, str]) -> None:
        """Take the attributes that a flattened module leaves behind."""
        below = ".".join(attributes.get("hdlname", plain(name)).split())
        scope = self._attributes.setdefault(join(path, below), {})
        for prefix in ("module_", "cell_"):
            scope.update(
                (key.removeprefix(prefix), value)
                for key, value in attributes.items()
                if key.startswith(prefix)
            )

    def finish(self, top: str) -> Netlist:
        """Number the nets, gather their names, and check what drives them."""
        number = self._wires.numbered()

        def nets(wires: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(number[wire] for wire in wires)

        names: list[dict[str, None]] = [{} for _ in range(max(number) + 1)]
        # Names of people first: the first name of a net is the one that is shown.
        for wire, label in (*self._public, *self._hidden):
            names[number[wire]][label] = None
        instances = [
            replace(instance, pins={pin: number[wire] for pin, wire in instance.pins.items()})
            for instance in self._instances
        ]
        # A net that nobody named is called by a pin on it.
        for instance in instances:
            for pin, net in instance.pins.items():
                if not names[net]:
                    names[net][f"{instance.name}.{pin}"] = None
        memories = [
            replace(
                memory,
                ports=tuple(
                    replace(
                        port,
                        clock=None if port.clock is None else number[port.clock],
                        enable=nets(port.enable),
                        address=nets(port.address),
                        data=nets(port.data),
                    )
                    for port in memory.ports
                ),
            )
            for memory in self._memories
        ]
        netlist = Netlist(
            name=top,
            names=tuple(tuple(of_net) for of_net in names),
            instances=tuple(instances),
            memories=tuple(memories),
            ports=dict(self._numbered_ports(number)),
            attributes=self._attributes,
            ascending=frozenset(self._ascending),
            recorded={number[wire]: mark for wire, mark in self._recorded.items()},
            hierarchy=self._hierarchy,
        )
        boxed = {number[wire] for wire in self._boxed} - {ZERO, ONE}
        undriven, boxed = check_drivers(netlist, self._library, boxed)
        lone = set(boxed)
        boxes = tuple(
            BlackBox(name, kind, drives=any(number[wire] in lone for wire in wires))
            for name, kind, wires in self._boxes
        )
        return replace(netlist, undriven=undriven, boxed=boxed, black_boxes=boxes)

    def _numbered_ports(self, number: Sequence[int]) -> Iterator[tuple[str, Port]]:
        """Ports of the top; those that bring the supply are none, for their nets are constants."""
        for name, port in self._ports.items():
            nets = tuple(number[wire] for wire in port.nets)
            if port.direction == "output" or not nets or not set(nets) <= {ZERO, ONE}:
                yield name, replace(port, nets=nets)


def _module(path: str, name: str, attributes: Mapping[str, str]) -> str:
    """Path of the RTL module instance that a cell lies in."""
    below = module_path(name, attributes)
    return join(path, below) if below else path
