"""Energy of a packet that passes one router, of either kind: ``docs/router/hops.*``.

Packets of 32 bits go through a router as RTL, and its gates are priced from the waveform in the
built-in library: without layout, so without wires within the router; nets that come in count, with
the pins that they drive. Most runs send one packet at a time, so that each has all its cost to
itself; in one, packets come to all ports at random, at half of what the clocked router can take.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from passing import Router, Row, dynamic_j, leakage_w, measure
from ways import ALL, LOADED, PACKET, PAYLOADS, WAYS

from spikewatt.energy.pricing.area import memory_area_um2
from spikewatt.energy.pricing.sram import node_scaling
from spikewatt.hdl.blueprint import Blueprint
from spikewatt.hdl.router.tile import Tile
from spikewatt.model.params import (
    CoreParams,
    MeshParams,
    Port,
    RouterKind,
)
from spikewatt.synth.asic import synthesise
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from spikewatt.synth.verilog import export

NAMES = {RouterKind.CLICK: "clockless", RouterKind.SYNC: "clocked, 10 ns"}
PUBLISHED = {  # node, pJ, V; the nearest nodes (nm) that ours can be scaled to
    "TrueNorth": ("28 nm", "2.3", 0.775, (32, 22)),
    "Loihi": ("14 nm", "3.0 E-W, 4.0 N-S", 0.75, (16,)),
}
"""Merolla et al., Science 345 (2014) 668; Davies et al., IEEE Micro 38 (2018) 82: table 2."""
_TRUE = {22: 20}  # nm that the coefficients named 22 are of
TILE = CoreParams(weight_bits=4, hop_bits=PACKET.hop_bits)  # 256 axons, 256 neurons


def tile_pitch_um() -> float:
    """Side of a square tile of TrueNorth's size with weights of 4 bits, µm."""
    params, path = MeshParams(columns=2, rows=2, core=TILE), default_library_path()
    mapped = synthesise(export(Blueprint.of(Tile, params), "tile"), "tile", path)
    memories = read_netlist(mapped.netlist, read_liberty(path), top="tile").memories
    return (mapped.area + sum(memory_area_um2(m.words, m.width, 45) for m in memories)) ** 0.5


def checks(router: Router, rows: Sequence[Row]) -> dict[str, float]:
    """The same figures in other ways, each over what the rows say; 1 is the same.

    ``slope``: line through the energies of three parts of one length and different numbers of
    packets. ``ways``: packets of all ways together, from those of each way alone. ``whole``: the
    whole run priced at once, against the sum of its parts.
    """
    own = list(zip(router.found[1:], rows, strict=True))
    found: dict[str, float] = {}
    for payload in PAYLOADS:
        mixed = [(p, r) for p, r in own if (r.way, r.payload) == (ALL, payload)]
        slope, _ = np.polyfit([r.packets for _, r in mixed], [r.dynamic_pj for _, r in mixed], 1)
        part, row = mixed[-1]
        alone = {r.way: r.per_flit_pj for _, r in own if r.payload == payload and r.way in WAYS}
        way_of = {pair: way for way, pairs in WAYS.items() for pair in pairs}
        each = [alone[way_of[Port(a), Port(b)]] for a, b in part.pairs.tolist()]
        found[f"slope, {payload}"] = slope / row.per_flit_pj
        found[f"ways, {payload}"] = sum(each) / (row.per_flit_pj * row.packets)
    whole = dynamic_j(router.window(router.found[0].begin, router.found[-1].end))
    total = sum(row.dynamic_pj for row in rows) * 1e-12 + dynamic_j(router.idle)
    return {**found, "whole": whole / total}


def summary(router: Router, pitch_um: float) -> dict[str, Any]:
    """All figures of a router as plain data."""
    rows = [router.row(part, pitch_um) for part in router.found[1:]]
    idle = router.idle
    return {
        "router": str(router.kind),
        "cells": router.mapped.cells,
        "area_um2": router.mapped.area,
        "leakage_w": leakage_w(idle),
        "idle_w": leakage_w(idle) + dynamic_j(idle) / idle.duration_s,
        "rows": [asdict(row) for row in rows],
        "checks": checks(router, rows),
    }


def beside(found: Sequence[dict[str, Any]]) -> str:
    """Markdown: published figures, and ours with wires, as they are and scaled to those nodes."""
    lines = ["| | node, supply | pJ for a packet and hop |", "|---|---|--:|"]
    ours = []
    for one in found:
        row = {(row["way"], row["payload"]): row for row in one["rows"]}[LOADED, "spikes"]
        ours.append((NAMES[RouterKind(one["router"])], row["per_flit_pj"] + row["link_wires_pj"]))
        lines.append(f"| {ours[-1][0]}, with wires | 45 nm, 0.9 V | {ours[-1][1]:.2f} |")
    for chip, (node, picojoules, volts, near) in PUBLISHED.items():
        lines.append(f"| {chip} | {node}, {volts} V | {picojoules} |")
        for name, value in ours:
            scaled = [value * node_scaling(45, 0.9, to, volts) for to in near]
            nodes = " and ".join(f"{_TRUE.get(to, to)} nm" for to in near)
            numbers = " and ".join(f"{value:.2f}" for value in scaled)
            lines.append(f"| {name}, scaled | {nodes}, {volts} V | {numbers} |")
    return "\n".join(lines) + "\n"


def table(found: Sequence[dict[str, Any]]) -> str:
    """Markdown: energy of a packet by its way, and the router at rest."""
    names = [NAMES[RouterKind(one["router"])] for one in found]
    heads = [f"{name}, {payload}" for payload in PAYLOADS for name in names]
    lines = [f"| pJ for each packet | {' | '.join(heads)} |", "|---|" + "--:|" * len(heads)]
    last = [{(row["way"], row["payload"]): row for row in one["rows"]} for one in found]
    for way in (*WAYS, ALL, LOADED):
        cells = [rows[way, payload]["per_flit_pj"] for payload in PAYLOADS for rows in last]
        lines.append(f"| {way} | {' | '.join(f'{value:.2f}' for value in cells)} |")
    wires = [rows[LOADED, payload]["link_wires_pj"] for payload in PAYLOADS for rows in last]
    lines.append(f"| wires to the next tile add | {' | '.join(f'{w:.2f}' for w in wires)} |")
    lines += ["", f"| | {' | '.join(names)} |", "|---|" + "--:|" * len(names)]
    rest = {"at rest, µW": ("idle_w", 1e6), "of which leaks, µW": ("leakage_w", 1e6)}
    for what, (key, scale) in {**rest, "area, µm²": ("area_um2", 1)}.items():
        lines.append(f"| {what} | {' | '.join(f'{one[key] * scale:,.1f}' for one in found)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=400, help="each way; each port, at load")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "router")
    arguments = parser.parse_args()
    pitch = tile_pitch_um()
    with tempfile.TemporaryDirectory() as folder:
        found = [
            summary(measure(kind, arguments.packets, Path(folder)), pitch) for kind in RouterKind
        ]
    text = table(found) + "\n" + beside(found)
    arguments.out.mkdir(parents=True, exist_ok=True)
    plain = {"tile_pitch_um": pitch, "routers": found}
    (arguments.out / "hops.json").write_text(json.dumps(plain, indent=1) + "\n")
    (arguments.out / "hops.md").write_text(text)
    print(text)
    for one in found:
        checked = (f"{what} {value:.4f}" for what, value in one["checks"].items())
        print(f"{NAMES[RouterKind(one['router'])]}, the same in other ways: {', '.join(checked)}")


if __name__ == "__main__":
    main()
