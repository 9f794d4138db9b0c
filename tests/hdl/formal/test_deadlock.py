"""No packet waits for itself: the links of a mesh have an order that every packet climbs."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from spikewatt.hdl.router.routing import TARGETS
from spikewatt.model.params import Port
from spikewatt.synth.verilog import export
from tests.hdl.formal.dependencies import Edges, Graph, Link, cycle_of, exported, mesh, table
from tests.hdl.formal.prove import check, model
from tests.hdl.formal.standstill import Standstill

SIZES = [(c, r) for c in range(1, 5) for r in range(1, 5)]


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Edges:
    return exported(tmp_path_factory.mktemp("router"))


def reached(edges: Edges, start: str) -> set[str]:
    """All that a link of a router waits for, however far."""
    found, new = set(), {start}
    while new := {after for before, after in edges if before in new} - found:
        found |= new
    return found


def number(link: Link, router: Edges, columns: int, rows: int) -> tuple[int, int]:
    """A link's number: east 1 + x, west columns - x, then south, north, and last the tiles.

    A link inside a router comes right before the ones that it leads to, by its distance from them.
    """
    x, y, name = link
    if name[0] not in "io":
        out = min(after for after in reached(router, name) if after[0] == "o")
        inside = 1 + len([after for after in reached(router, name) if after[0] != "o"])
        return number((x, y, out), router, columns, rows)[0] - 1, 9 - inside
    if name[0] == "i":
        return 0, 0
    return {
        Port.EAST: 1 + x,
        Port.WEST: columns - x,
        Port.SOUTH: columns + 1 + y,
        Port.NORTH: columns + rows - y,
        Port.LOCAL: columns + rows + 1,
    }[Port(int(name[1:]))], 0


def test_exported_router_has_the_turns_of_the_table(router: Edges) -> None:
    turns = {
        came: {Port(int(name[1:])) for name in reached(router, f"i{came.value}") if name[0] == "o"}
        for came in Port
    }
    assert turns == {came: set(left) for came, left in TARGETS.items()}


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_no_link_waits_for_itself(columns: int, rows: int, router: Edges) -> None:
    """All links of the exported structure, host's and tiles' too, by search and by numbers."""
    graph = mesh(columns, rows, router)
    inside = {before for before, _ in router if before[0] not in "io"}
    between = 2 * (2 * columns * rows - columns - rows)
    assert len(graph) == between + (2 + len(inside)) * columns * rows + 2
    assert cycle_of(graph) == []
    for link, waits_for in graph.items():
        for after in waits_for:
            assert number(link, router, columns, rows) < number(after, router, columns, rows)


def with_turns(*more: tuple[Port, Port]) -> Mapping[Port, list[Port]]:
    return {
        came: [*left, *(to for port, to in more if port == came)] for came, left in TARGETS.items()
    }


def is_cycle(found: list[Link], graph: Graph) -> bool:
    return len(found) > 1 and all(
        after in graph[before] for before, after in zip(found, found[1:] + found[:1], strict=True)
    )


@pytest.mark.parametrize(
    "turns",
    [
        [(Port.NORTH, Port.WEST), (Port.SOUTH, Port.EAST)],
        [(Port.NORTH, Port.EAST), (Port.SOUTH, Port.WEST)],
    ],
    ids=["clockwise", "counterclockwise"],
)
def test_turns_from_y_to_x_close_a_circle(turns: list[tuple[Port, Port]]) -> None:
    graph = mesh(2, 2, table(with_turns(*turns)))
    found = cycle_of(graph)
    assert is_cycle(found, graph)
    assert {link[:2] for link in found} == {(0, 0), (1, 0), (0, 1), (1, 1)}
    for turn in turns:  # one alone does not: Glass and Ni, "The Turn Model", ISCA 1992
        assert cycle_of(mesh(4, 4, table(with_turns(turn)))) == []


@pytest.mark.parametrize("who", ["tile", "host"])
def test_who_takes_no_packet_while_its_own_waits_closes_a_circle(who: str, router: Edges) -> None:
    graph = mesh(2, 2, router, waiting=[who])
    found = cycle_of(graph)
    assert is_cycle(found, graph)


def standstill(folder: Path, columns: int, rows: int, waiting: str = "") -> Path:
    states = Standstill(columns, rows, waiting=waiting)
    text = export(states, "standstill", dialect="assigns")
    return model(folder, "standstill", f"LINKS={states.links}", design=text)


@pytest.mark.parametrize(
    ("columns", "rows"),
    [(2, 2), *(pytest.param(*size, marks=pytest.mark.long) for size in ((3, 2), (4, 4)))],
)
def test_no_state_of_the_links_is_stuck(columns: int, rows: int, tmp_path: Path) -> None:
    """With the routing function itself, over all states at once; links may all be full."""
    place = standstill(tmp_path, columns, rows)
    proof = check(place, "bounded", 1)
    assert proof.passed, proof.output
    assert check(place, "cover", 1).names == {"all_full"}


@pytest.mark.parametrize("who", ["tile", "host"])
def test_a_state_is_stuck_if_one_takes_nothing_while_its_own_waits(
    who: str, tmp_path: Path
) -> None:
    verdict = check(standstill(tmp_path, 2, 2, who), "bounded", 1)
    assert verdict.names == {"none_stuck"}
