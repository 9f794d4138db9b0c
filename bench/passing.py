"""Energy of a router while packets pass it, one part of a run at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from ways import PACKET, Part, parts, words

from spikewatt.cosim.simulate import CocotbOptions
from spikewatt.cosim.traffic import RouterDesign, Traffic, pass_through
from spikewatt.energy.activity.prepared import Prepared, prepare
from spikewatt.energy.activity.replay import ReplayOptions
from spikewatt.energy.pricing.ledger import TERMS
from spikewatt.energy.pricing.priced_activity import PricedActivity, price_waveform
from spikewatt.hdl.router.asynchronous import ClickRouter
from spikewatt.hdl.router.synchronous import SyncRouter
from spikewatt.model.params import (
    PORTS,
    Delays,
    Port,
    RouterKind,
)
from spikewatt.synth.asic import synthesise
from spikewatt.synth.asic_result import AsicResult
from spikewatt.synth.click import simulation_cells
from spikewatt.synth.liberty.library import Library
from spikewatt.synth.liberty.reader import read_liberty
from spikewatt.synth.netlist.netlist import Netlist
from spikewatt.synth.netlist.reader import read_netlist
from spikewatt.synth.technology.library import default_library_path
from spikewatt.synth.verilog import export
from spikewatt.targets.price import WIRE_F_PER_UM

__all__ = ["Router", "Row", "dynamic_j", "leakage_w", "measure"]

SEED = 7


@dataclass(frozen=True)
class Row:
    """What one part of a run cost, pJ.

    ``per_flit_pj``: of a packet, without what the router takes at rest; ``dynamic_pj``: all that
    toggled, leakage apart; ``link_wires_pj``: wires of one link, one tile long, for each packet.
    """

    router: str
    way: str
    payload: str
    packets: int
    per_flit_pj: float
    link_wires_pj: float
    dynamic_pj: float


@dataclass(frozen=True, eq=False)
class Router:
    """A router of one kind, mapped, and its waveform replayed."""

    kind: RouterKind
    mapped: AsicResult
    netlist: Netlist
    library: Library
    prepared: Prepared
    found: Sequence[Part]

    def window(self, begin: int, end: int) -> PricedActivity:
        """Energy of a part of the run, ps."""
        return price_waveform(
            self.prepared,
            self.library,
            replaying=ReplayOptions(window=(begin * 1e-12, end * 1e-12)),
        )

    @cached_property
    def idle(self) -> PricedActivity:
        """The router at rest."""
        return self.window(self.found[0].begin, self.found[0].end)

    @cached_property
    def links(self) -> list[int]:
        """Nets of the links from other routers, both ways."""
        mine = [p for p in self.netlist.ports if p.startswith("i__")]
        names = [name for name in mine if not name.startswith(f"i__{Port.LOCAL:d}__")]
        return [net for name in names for net in self.netlist.ports[name].nets]

    def row(self, part: Part, pitch_um: float) -> Row:
        """Price one part."""
        run, flits = self.window(part.begin, part.end), len(part.pairs)
        toggles = float(run.toggles[:, self.links].sum())
        wires = 0.5 * WIRE_F_PER_UM * pitch_um * self.library.voltage**2 * toggles
        moved = dynamic_j(run) - dynamic_j(self.idle) * run.duration_s / self.idle.duration_s
        by_link = int((part.pairs[:, 0] != Port.LOCAL).sum())
        return Row(
            router=str(self.kind),
            way=part.name,
            payload=part.payload,
            packets=flits,
            per_flit_pj=moved / flits * 1e12,
            link_wires_pj=wires / max(by_link, 1) * 1e12,
            dynamic_pj=dynamic_j(run) * 1e12,
        )


def dynamic_j(run: PricedActivity) -> float:
    """J of all that toggles."""
    joules = run.ledger.joules
    return float(joules.sum() - joules[..., TERMS.index("leakage")].sum())


def leakage_w(run: PricedActivity) -> float:
    """W of all that does not."""
    return float(run.ledger.joules[..., TERMS.index("leakage")].sum()) / run.duration_s


def measure(kind: RouterKind, count: int, folder: Path) -> Router:
    """Run, map and replay a router; every packet must come out where it should."""
    click, rng = kind is RouterKind.CLICK, np.random.default_rng(SEED)
    found = parts(count, rng)
    pairs = np.concatenate([part.pairs for part in found])
    times = np.concatenate([part.times for part in found])
    carried = np.concatenate([words(part.pairs, part.payload, rng) for part in found])
    mine = [np.flatnonzero(pairs[:, 0] == port) for port in PORTS]
    mine = [own[np.argsort(times[own], kind="stable")] for own in mine]
    delays = Delays()
    wait = delays.route + delays.fire if click else 1  # as the next router would
    offered = Traffic(
        [times[own] for own in mine],
        [carried[own] for own in mine],
        [np.full(len(times), wait) for _ in PORTS],
    )
    verilog = export(ClickRouter(PACKET, delays) if click else SyncRouter(PACKET), "router")
    text, waveform = simulation_cells() + verilog, folder / f"{kind}.vcd"
    passage = pass_through(
        RouterDesign(kind, text, PACKET),
        offered,
        folder / kind,
        CocotbOptions(trace="vcd", waveform=waveform),
    )
    came = [len(sink.words) for sink in passage.sinks]
    assert came == np.bincount(pairs[:, 1], minlength=len(PORTS)).tolist()
    path = default_library_path()
    library, mapped = read_liberty(path), synthesise(verilog, "router", path)
    netlist = read_netlist(mapped.netlist, library, top="router")
    return Router(kind, mapped, netlist, library, prepare(netlist, library, waveform), found)
