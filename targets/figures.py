"""What a priced run says of itself, field by field; every report that holds one has its schema."""

from typing import NotRequired, TypedDict

from spikewatt.energy.pricing.figures import MemoryAccesses
from spikewatt.energy.pricing.sram import SramModel

__all__ = ["MeshEnergy", "OperationEnergy", "RunEnergy"]


class OperationEnergy(TypedDict):
    """The energy of an image by its synaptic operations, J.

    Dynamic energy regressed on the operations gives ``marginal_j`` for each and
    ``fixed_per_image_j``, ``None`` where fewer than three images or equal numbers of operations
    give no line; leakage is apart; ``all_in_j`` divides everything by the operations.
    """

    marginal_j: float | None
    fixed_per_image_j: float | None
    leakage_per_image_j: float
    r2: float | None
    all_in_j: float


class MeshEnergy(TypedDict):
    """What the network of a mesh takes.

    ``per_flit_hop_j``: energy of the routers, leakage apart, for each router that a packet passed;
    ``link_wires_j``: what the wires to the next tile would add to that, one tile pitch of them.
    ``per_spike_delivered_j``: routers, interfaces and these wires, for each spike that entered the
    network. ``idle_w``: power of the parts at rest, of which ``idle_leakage_w`` leaks. ``parts_j``:
    energy of an image, leakage included.
    """

    router: str
    packets: int
    hops: int
    per_flit_hop_j: float
    link_wires_j: float
    per_spike_delivered_j: float
    interface_per_packet_j: float
    idle_w: dict[str, float]
    idle_leakage_w: dict[str, float]
    parts_j: dict[str, float]
    tile_pitch_um: float


class RunEnergy(TypedDict):
    """The joules of a run; J unless the name says otherwise, means over the images.

    ``sram_sweep``: J of an image with the memories' energy multiplied by each factor. A mesh has
    its ``network``.
    """

    images: int
    library: str
    voltage_v: float
    clock_period_s: float
    shortest_period_s: float
    duration_s: float
    total_j: float
    per_image_j: float
    per_image_ci95_j: float
    per_tick_j: float
    per_spike_j: float
    per_synaptic_op: OperationEnergy
    power_w: float
    area_um2: dict[str, float]
    by_category: dict[str, float]
    by_module: dict[str, float]
    sram_sweep: dict[str, float]
    cells: int
    toggles: int
    unmatched: list[str]
    flip_flops_matched: int
    clock_edges_checked: int
    memories: list[MemoryAccesses]
    sram: SramModel | None
    network: NotRequired[MeshEnergy]
