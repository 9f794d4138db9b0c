"""What runs between the cores of a mesh, in joules."""

import re
from dataclasses import dataclass

import numpy as np

from spikewatt.energy.pricing.ledger import TERMS, Ledger
from spikewatt.energy.pricing.priced_activity import PricedActivity
from spikewatt.hdl.router.categories import PARTS, modules_of
from spikewatt.model.params import MeshParams
from spikewatt.targets.figures import MeshEnergy
from spikewatt.targets.price import WIRE_F_PER_UM, PricedRun

__all__ = ["NetworkEnergy"]

_LINK = re.compile(
    r"tile_\d+_\d+__[io]__[0-3]__(data|req|ack|payload|valid|ready)(\[\d+\])?"
)  # what the mesh wires to a tile, by its four outer ports


@dataclass(frozen=True)
class NetworkEnergy:
    """What the network of a mesh takes in a priced run.

    Parameters
    ----------
    params:
        The mesh.
    packets, hops:
        Spikes that entered the network in these images, and routers that all packets passed, those
        of the readout among them.
    idle:
        The same mesh at rest.
    """

    params: MeshParams
    packets: int
    hops: int
    idle: PricedActivity

    def figures(self, price: PricedRun) -> MeshEnergy:
        """Joules of the routers, interfaces and wires of a run."""
        images, ledger = int(price.images.sum()), price.estimate.ledger
        moving = {part: _dynamic(ledger, part) for part in PARTS}
        wires = self._link_wires(price)
        idle, seconds = self.idle.ledger, self.idle.ledger.duration_s
        moved = moving["routers"] + moving["interfaces"] + wires
        return MeshEnergy(
            router=self.params.router.value,
            packets=self.packets,
            hops=self.hops,
            per_flit_hop_j=moving["routers"] / max(self.hops, 1),
            link_wires_j=wires / max(self.hops, 1),
            per_spike_delivered_j=moved / max(self.packets, 1),
            interface_per_packet_j=moving["interfaces"] / max(self.packets, 1),
            idle_w={p: _total(idle, p) / seconds for p in PARTS},
            idle_leakage_w={p: _leakage(idle, p) / seconds for p in PARTS},
            parts_j={p: _total(ledger, p) / images for p in PARTS},
            tile_pitch_um=self._pitch_um(price),
        )

    def _pitch_um(self, price: PricedRun) -> float:
        """Side of a square tile, µm."""
        return (price.area_um2["total"] / self.params.tiles) ** 0.5

    def _link_wires(self, price: PricedRun) -> float:
        """J of wires of one tile pitch on every link of tiles and host: ``C V² / 2`` a toggle."""
        estimate = price.estimate
        farad = WIRE_F_PER_UM * self._pitch_um(price)
        links = [
            net
            for net, names in enumerate(estimate.netlist.names)
            if any(_LINK.fullmatch(name) for name in names)
        ]
        toggles = float(estimate.toggles[:, links].sum())
        # Half of C V² is taken at each edge, up or down.
        return 0.5 * farad * estimate.library.voltage**2 * toggles


def _joules(ledger: Ledger, part: str) -> np.ndarray:
    """J[terms] of a part of the mesh, in the whole window."""
    return ledger.joules[:, modules_of(part, ledger.modules)].sum((0, 1, 2))


def _total(ledger: Ledger, part: str) -> float:
    return float(_joules(ledger, part).sum())


def _leakage(ledger: Ledger, part: str) -> float:
    return float(_joules(ledger, part)[TERMS.index("leakage")])


def _dynamic(ledger: Ledger, part: str) -> float:
    return _total(ledger, part) - _leakage(ledger, part)
