"""Which links of a mesh wait for which: the channel-dependency graph.

Dally and Seitz, "Deadlock-Free Message Routing in Multiprocessor Interconnection Networks", IEEE
Trans. Computers C-36 (1987) 547: where the links can be numbered so that every packet goes up, none
waits for itself.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from spikewatt.hdl.router.asynchronous import ClickRouter
from spikewatt.model.params import PORTS, Delays, PacketParams, Port
from spikewatt.synth.verilog import export
from spikewatt.synth.yosys import run_yosys

__all__ = ["STEP", "Edges", "Graph", "Link", "cycle_of", "exported", "mesh", "table"]

Edges = frozenset[tuple[str, str]]
"""Of a router: a token on the first link waits for the second; ``i0`` and ``o0`` are its ports."""

Link = tuple[int, int, str]
"""(x, y, name) of a link that a router drives, or (x, y, "i4") from a tile, or the host's two."""

Graph = Mapping[Link, frozenset[Link]]

STEP = {Port.EAST: (1, 0), Port.WEST: (-1, 0), Port.NORTH: (0, -1), Port.SOUTH: (0, 1)}
_FACING = {
    Port.EAST: Port.WEST,
    Port.WEST: Port.EAST,
    Port.NORTH: Port.SOUTH,
    Port.SOUTH: Port.NORTH,
}


def exported(folder: Path) -> Edges:
    """Of the router as exported: an element's outgoing links are what its incoming ones wait for.

    A link is known by the net of its acknowledge.
    """
    router = ClickRouter(PacketParams(hop_bits=2, axon_bits=1, slot_bits=1), Delays())
    (folder / "router.v").write_text(export(router, "router", dialect="assigns"))
    run_yosys("read_verilog router.v\nproc\nopt_clean\nwrite_json router.json\n", folder)
    top = json.loads((folder / "router.json").read_text())["modules"]["router"]
    names: dict[int, str] = {}
    for port in PORTS:
        for side in "io":
            (net,) = top["ports"][f"{side}__{port.value}__ack"]["bits"]
            names[net] = f"{side}{port.value}"
    edges: set[tuple[str, str]] = set()
    for cell in top["cells"].values():
        acks = {True: [], False: []}
        for port, direction in cell["port_directions"].items():
            if port.endswith("__ack"):
                (net,) = cell["connections"][port]
                acks[direction == "output"].append(names.get(net, f"net{net}"))
        edges |= {(before, after) for before in acks[True] for after in acks[False]}
    return frozenset(edges)


def table(targets: Mapping[Port, Iterable[Port]]) -> Edges:
    """Of a router that is no more than a table of turns."""
    return frozenset(
        (f"i{came.value}", f"o{left.value}") for came, all_ in targets.items() for left in all_
    )


def mesh(columns: int, rows: int, router: Edges, *, waiting: Iterable[str] = ()) -> Graph:
    """Links of a mesh and what each waits for.

    Packets for a tile (``o4``) and for the host (``o2`` of the corner) wait for nothing.

    Parameters
    ----------
    waiting:
        ``tile``, ``host``: it takes no packet while its own waits.
    """
    tiles = [(x, y) for y in range(rows) for x in range(columns)]
    links: dict[tuple[int, int, str], Link] = {}
    for x, y in tiles:
        for port, (dx, dy) in STEP.items():
            if (x + dx, y + dy) in tiles:
                here = (x, y, f"o{port.value}")
                links[here] = links[x + dx, y + dy, f"i{_FACING[port].value}"] = here
        for name in {f"i{Port.LOCAL.value}", f"o{Port.LOCAL.value}"} | {
            name for edge in router for name in edge if name[0] not in "io"
        }:
            links[x, y, name] = (x, y, name)
    host_in, host_out = (0, 0, f"i{Port.WEST.value}"), (0, 0, f"o{Port.NORTH.value}")
    links |= {host_in: host_in, host_out: host_out}
    found: dict[Link, set[Link]] = {link: set() for link in links.values()}
    for x, y in tiles:
        for before, after in router:
            if (x, y, before) in links and (x, y, after) in links:
                found[links[x, y, before]].add(links[x, y, after])
        if "tile" in waiting:
            found[x, y, f"o{Port.LOCAL.value}"].add((x, y, f"i{Port.LOCAL.value}"))
    if "host" in waiting:
        found[host_out].add(host_in)
    return {link: frozenset(after) for link, after in found.items()}


def cycle_of(graph: Graph) -> list[Link]:
    """Links each of which waits for the next and the last for the first; none: empty."""
    done: set[Link] = set()
    for start in graph:
        path, trail = [start], [iter(graph[start])]
        on_path = {start}
        while path:
            after = next(trail[-1], None)
            if after is None:
                trail.pop()
                on_path.remove(path[-1])
                done.add(path.pop())
            elif after in on_path:
                return path[path.index(after) :]
            elif after not in done:
                path.append(after)
                trail.append(iter(graph[after]))
                on_path.add(after)
    return []
