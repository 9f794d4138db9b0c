"""The picture of a mesh: well-formed, complete, and true to its numbers."""

from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from spikewatt.base.errors import DataError
from spikewatt.model.compile.mesh.mapping import MeshFit, map_mesh
from spikewatt.model.compile.mesh.picture import mesh_svg
from spikewatt.model.compile.mesh.program import MeshProgram
from spikewatt.model.golden.mesh import run_mesh
from spikewatt.model.network.graph import Connection, Network, Readout
from tests.model.builders import dense_network
from tests.model.mesh_builders import random_mesh

SVG = "{http://www.w3.org/2000/svg}"


def groups(root: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [g for g in root.iter(f"{SVG}g") if g.get("class") == kind]


def words(element: ElementTree.Element) -> list[str]:
    """Lines of text, without what shows when pointed at."""
    lines = element.iter(f"{SVG}text")
    return [(line.text or "") + "".join(child.tail or "" for child in line) for line in lines]


def renamed(network: Network, names: dict[str, str]) -> Network:
    def link(old: Connection) -> Connection:
        ends = {"source": names.get(old.source, old.source), "target": names[old.target]}
        return replace(old, **ends)

    return replace(
        network,
        populations=tuple(replace(p, name=names[p.name]) for p in network.populations),
        connections=tuple(map(link, network.connections)),
        readout=Readout(population=names[network.readout.population], kind="count"),
    )


@pytest.fixture
def program() -> MeshProgram:
    network = dense_network(4, 20, 6)
    names = {"layer 1": '<a & "b">', "layer 2": "a long name, even very long"}
    return map_mesh(renamed(network, names), MeshFit(mesh=(2, 2), lanes=4))


def traffic_of(program: MeshProgram) -> np.ndarray:
    rng = np.random.default_rng(0)
    return run_mesh(program, rng.random((5, 10, 4)) < 0.5).traffic


def test_tiles_say_what_they_hold(program: MeshProgram) -> None:
    traffic = traffic_of(program)
    root = ElementTree.fromstring(mesh_svg(program, traffic))
    tiles = groups(root, "tile")
    assert [tile.get("id") for tile in tiles] == [f"tile-{i}" for i in range(4)]
    for i, tile in enumerate(tiles):
        said = words(tile)
        assert said[0] == f"({i % 2}, {i // 2})"
        assert said[1] == f"{traffic[i, 4]:,} in"
        held = program.tiles[i].neurons_of
        used = sum(len(neurons) for neurons in held.values())
        assert said[-1] == f"{100 * used / program.params.core.neurons:.0f} %"
        hints = [title.text for title in tile.iter(f"{SVG}title")]
        assert hints == list(held)
    assert any('<a & "b">' in text for tile in tiles for text in words(tile))
    assert any("a long name…" in text for tile in tiles for text in words(tile))
    head = words(root)[:2]
    assert head[0] == "2 × 2 mesh"
    packets = int(traffic[:, 4].sum() + traffic[0, 2])
    assert head[1].endswith(f" · {packets:,} packets, {int(traffic.sum()):,} hops")


def test_links_say_what_passed(program: MeshProgram) -> None:
    traffic = traffic_of(program)
    root = ElementTree.fromstring(mesh_svg(program, traffic, from_host=1234))
    links = groups(root, "link")
    titles = [str(link[0].text) for link in links]
    # Two ways between 4 pairs of neighbours, and to and from the host.
    passed = {
        "(0, 0) → (1, 0)": traffic[0, 0],
        "(1, 0) → (0, 0)": traffic[1, 1],
        "(0, 0) → (0, 1)": traffic[0, 3],
        "(0, 1) → (0, 0)": traffic[2, 2],
        "(1, 0) → (1, 1)": traffic[1, 3],
        "(1, 1) → (1, 0)": traffic[3, 2],
        "(0, 1) → (1, 1)": traffic[2, 0],
        "(1, 1) → (0, 1)": traffic[3, 1],
        "(0, 0) → host": traffic[0, 2],
        "host → (0, 0)": 1234,
    }
    assert sorted(titles) == sorted(f"{ends}: {n:,}" for ends, n in passed.items())
    lines = {link[0].text: link.find(f"{SVG}line") for link in links}
    widths = {
        title: float(line.get("stroke-width", ""))
        for title, line in lines.items()
        if line is not None
    }
    rising = sorted(passed.items(), key=lambda each: each[1])
    by_packets = [widths[f"{ends}: {n:,}"] for ends, n in rising]
    assert by_packets == sorted(by_packets)
    assert by_packets[0] < by_packets[-1] == max(widths.values())


def test_an_arrow_points_where_it_goes(program: MeshProgram) -> None:
    root = ElementTree.fromstring(mesh_svg(program, traffic_of(program)))
    ways = {"(0, 0) → (1, 0)": (1, 0), "(1, 0) → (0, 0)": (-1, 0), "(0, 0) → host": (0, -1)}
    ways |= {"(0, 0) → (0, 1)": (0, 1), "(0, 1) → (0, 0)": (0, -1), "host → (0, 0)": (1, 0)}
    for link in groups(root, "link"):
        ends = str(link[0].text).rsplit(":", 1)[0]
        if ends in ways:
            line, tip = link.find(f"{SVG}line"), link.find(f"{SVG}polygon")
            assert line is not None
            assert tip is not None
            x1, y1 = (float(line.get(name, "")) for name in ("x1", "y1"))
            x2, y2 = map(float, tip.get("points", "").split()[0].split(","))
            assert (np.sign(x2 - x1), np.sign(y2 - y1)) == ways[ends]


@pytest.mark.parametrize("seed", range(20))
def test_it_is_well_formed_and_always_the_same(seed: int) -> None:
    network, program = random_mesh(seed)
    spikes = np.random.default_rng(seed).random((2, 8, network.encoder.inputs)) < 0.5
    traffic = run_mesh(program, spikes).traffic
    text = mesh_svg(program, traffic)
    assert text == mesh_svg(program, traffic.copy())
    root = ElementTree.fromstring(text)
    assert len(groups(root, "tile")) == program.params.tiles
    wide, high = (float(root.get(name, "")) for name in ("width", "height"))
    for rect in root.iter(f"{SVG}rect"):
        x, y, w, h = (float(rect.get(name, "0")) for name in ("x", "y", "width", "height"))
        assert min(x, y, w, h) >= 0
        assert x + w <= wide + 0.1
        assert y + h <= high + 0.1


def test_many_populations_and_none() -> None:
    network = dense_network(*[2] * 10)
    text = mesh_svg(map_mesh(network, MeshFit(lanes=2)), np.zeros((1, 5), np.int64))
    (tile,) = groups(ElementTree.fromstring(text), "tile")
    said = words(tile)
    shown = [word for word in said if word.startswith("layer")]
    assert shown == [f"layer {i}" for i in range(1, 6)]
    assert "and 4 more" in said
    text = mesh_svg(map_mesh(network, MeshFit(mesh=(4, 4), lanes=2)), np.zeros((16, 5), np.int64))
    tiles = groups(ElementTree.fromstring(text), "tile")
    assert sum("empty" in words(tile) for tile in tiles) == 16 - 9


def test_traffic_of_another_mesh(program: MeshProgram) -> None:
    with pytest.raises(DataError) as caught:
        mesh_svg(program, np.zeros((3, 5), np.int64))
    assert str(caught.value) == "traffic must have shape (4, 5), not (3, 5)"
