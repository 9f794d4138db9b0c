"""The joule ledger of a run on a mesh: cores, routers, what runs between them."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spikewatt.base.errors import SimulationError
from spikewatt.base.files import scratch
from spikewatt.base.progress import Progress, silent, worded
from spikewatt.cosim.mesh_samples import MeshRecording, run_mesh_samples
from spikewatt.energy.activity.replay import ReplayOptions
from spikewatt.energy.pricing.ledger import TERMS, Ledger
from spikewatt.energy.pricing.options import PricingOptions
from spikewatt.energy.pricing.priced_activity import PricedActivity, price_waveform
from spikewatt.hdl.router.categories import PARTS, mesh_categories, modules_of
from spikewatt.model.params import MeshParams, TableId
from spikewatt.synth.verilog import export_mesh
from spikewatt.targets.ledger import SpikingEnergy
from spikewatt.targets.mesh_evaluate import MeshEvaluation
from spikewatt.targets.price import (
    WIRE_F_PER_UM,
    NetworkFigures,
    PricedCore,
    clock_borders,
    price_core,
)

__all__ = ["MeshEnergy", "price_mesh_samples"]

IDLE_CYCLES = 256
"""Clock cycles of rest that are priced: nothing is asked of the mesh, and nothing is on its way."""

_LINK = re.compile(
    r"tile_\d+_\d+__[io]__[0-3]__(data|req|ack|payload|valid|ready)(\[\d+\])?"
)  # what the mesh wires to a tile, by its four outer ports


@dataclass(frozen=True)
class MeshEnergy(SpikingEnergy):
    """Energy of the first images of a run on a mesh, a block for each.

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

    def to_json(self) -> dict[str, Any]:
        """Plain data: what one core says, and ``network``.

        ``per_flit_hop_j``: energy of the routers, leakage apart, for each router that a packet
        passed; ``link_wires_j``: what the wires to the next tile would add to that, one tile pitch
        of them. ``per_spike_delivered_j``: routers, interfaces and these wires, for each spike that
        entered the network. ``idle_w``: power of the parts at rest, of which ``idle_leakage_w``
        leaks. ``parts_j``: energy of an image, leakage included.
        """
        images = len(self.operations)
        moving = {part: _dynamic(self.price.estimate.ledger, part) for part in PARTS}
        wires = self._link_wires()
        idle, seconds = self.idle.ledger, self.idle.ledger.duration_s
        moved = moving["routers"] + moving["interfaces"] + wires
        return {
            **super().to_json(),
            "network": {
                "router": self.params.router.value,
                "packets": self.packets,
                "hops": self.hops,
                "per_flit_hop_j": moving["routers"] / max(self.hops, 1),
                "link_wires_j": wires / max(self.hops, 1),
                "per_spike_delivered_j": moved / max(self.packets, 1),
                "interface_per_packet_j": moving["interfaces"] / max(self.packets, 1),
                "idle_w": {p: _total(idle, p) / seconds for p in PARTS},
                "idle_leakage_w": {p: _leakage(idle, p) / seconds for p in PARTS},
                "parts_j": {p: _total(self.price.estimate.ledger, p) / images for p in PARTS},
                "tile_pitch_um": self._pitch_um,
            },
        }

    @property
    def _pitch_um(self) -> float:
        """Side of a square tile, µm."""
        return (self.price.area_um2["total"] / self.params.tiles) ** 0.5

    def _link_wires(self) -> float:
        """J of wires of one tile pitch on every link of tiles and host: ``C V² / 2`` a toggle."""
        found = self.price.estimate
        farad = WIRE_F_PER_UM * self._pitch_um
        links = [
            net
            for net, names in enumerate(found.netlist.names)
            if any(_LINK.fullmatch(name) for name in names)
        ]
        toggles = float(found.toggles[:, links].sum())
        return 0.5 * farad * found.library.voltage**2 * toggles


def _joules(ledger: Ledger, part: str) -> np.ndarray:
    """J[terms] of a part of the mesh, in the whole window."""
    return ledger.joules[:, modules_of(part, ledger.modules)].sum((0, 1, 2))


def _total(ledger: Ledger, part: str) -> float:
    return float(_joules(ledger, part).sum())


def _leakage(ledger: Ledger, part: str) -> float:
    return float(_joules(ledger, part)[TERMS.index("leakage")])


def _dynamic(ledger: Ledger, part: str) -> float:
    return _total(ledger, part) - _leakage(ledger, part)


def price_mesh_samples(
    evaluation: MeshEvaluation,
    count: int,
    liberty: Path | str | None = None,
    progress: Progress = silent,
) -> MeshEnergy:
    """Energy of the first samples of a run on a mesh, from a waveform of their own.

    The host reads the membranes of the readout back through the packet port, where the class is
    read from them: an answer that nobody reads costs less.

    Raises
    ------
    SimulationError
        The RTL differs from the golden model.
    """
    network, program = evaluation.network, evaluation.program
    readout = network.readout.population if network.readout.kind == "membrane" else None
    spikes = evaluation.spikes[:count]
    with scratch() as folder:
        waveform = folder / "mesh.vcd"
        recording = run_mesh_samples(
            program,
            list(spikes),
            trace="vcd",
            waveform=waveform,
            readout=readout,
            idle_cycles=IDLE_CYCLES,
            progress=worded(progress, after=", with a waveform"),
        )
        again = replace(evaluation, spikes=spikes, recording=recording)
        _check(again, readout)
        priced = price_core(
            export_mesh(program.params, cells=False),
            "mesh",
            waveform,
            starts=recording.starts,
            end=recording.starts[-1] + recording.cycles[-1],
            images=np.ones(count, np.int64),
            categories=mesh_categories(program.params),
            library_path=Path(liberty) if liberty else None,
            progress=progress,
        )
        idle = _at_rest(priced, recording)
    rows = np.concatenate(again.packets())
    tiles = evaluation.golden.cores
    fired = np.sum([tile.spikes[:count].sum((1, 2)) for tile in tiles], axis=0)
    operations = np.sum([tile.synaptic_ops[:count].sum(-1) for tile in tiles], axis=0)
    network_figures = NetworkFigures(
        mesh=f"{program.params.columns}x{program.params.rows}",
        router=program.params.router.value,
        packets=len(rows),
        hops=int(rows[:, 1].sum()),
        barrier_cycles=int(sum(trace.barrier.sum() for trace in recording.traces)),
    )
    return MeshEnergy(
        price=replace(priced, proven=count, network=network_figures),
        operations=operations,
        spikes=fired + spikes.sum((1, 2)),
        ticks=spikes.shape[1],
        params=program.params,
        packets=len(rows),
        hops=int(rows[:, 1].sum()) + count * _readout_hops(evaluation, readout),
        idle=idle,
    )


def _check(evaluation: MeshEvaluation, readout: str | None) -> None:
    """Hold the run with the waveform against the golden model, and what the host read."""
    if found := evaluation.difference(complete=False):
        raise SimulationError(f"with a waveform the RTL is another: {found}")
    if readout is None:
        return
    golden = evaluation.of_golden("membranes", readout)
    for sample, membranes in enumerate(evaluation.recording.readouts):
        if not np.array_equal(membranes, golden[sample, -1]):
            raise SimulationError(f"sample {sample}: the host reads other membranes back")


def _at_rest(priced: PricedCore, recording: MeshRecording) -> PricedActivity:
    """The mesh in the cycles before the first sample, when it has come to rest."""
    first, end = recording.idle
    borders, _ = clock_borders(priced.prepared, [first + (end - first) // 4], end)
    return price_waveform(
        priced.prepared,
        priced.estimate.library,
        PricingOptions(sram=priced.estimate.sram),
        replaying=ReplayOptions(
            window=(float(borders[0]), float(borders[-1])), borders=borders.tolist()
        ),
    )


def _readout_hops(evaluation: MeshEvaluation, readout: str | None) -> int:
    """Routers that the packets of one readout pass: questions, and answers."""
    if readout is None:
        return 0
    program = evaluation.program
    params, core = program.params, program.params.core
    chunks, hops = core.tables[TableId.STATE].chunks, 0
    each = params.packet.word_packets + params.packet.reply_packets
    for piece in program.neurons_of[readout]:
        groups = -(-piece.neurons.stop // core.lanes) - piece.neurons.start // core.lanes
        hops += groups * chunks * each * (sum(params.place(piece.tile)) + 1)
    return hops
