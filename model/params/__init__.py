"""Parameters of the hardware: the one thing that models and hardware share."""

from spikewatt.model.params.core import LIMITS, CoreParams
from spikewatt.model.params.fabric import Fabric
from spikewatt.model.params.mesh import (
    CONFIG_WORD_BITS,
    MESH_LIMIT,
    PORTS,
    Delays,
    HostCommand,
    MeshParams,
    PacketParams,
    Port,
    RouterKind,
    ToHost,
    ToTile,
)
from spikewatt.model.params.neuron import (
    LEAK_FRACTION_BITS,
    WINDOW_END,
    Compare,
    Leak,
    NeuronType,
    Reset,
)
from spikewatt.model.params.tables import (
    CONFIG_ADDRESS_BITS,
    CONFIG_DATA_BITS,
    CONFIG_FIELDS,
    CONFIG_TABLE_SHIFT,
    Field,
    Table,
    TableId,
    bits_for,
)

__all__ = [
    "CONFIG_ADDRESS_BITS",
    "CONFIG_DATA_BITS",
    "CONFIG_FIELDS",
    "CONFIG_TABLE_SHIFT",
    "CONFIG_WORD_BITS",
    "LEAK_FRACTION_BITS",
    "LIMITS",
    "MESH_LIMIT",
    "PORTS",
    "WINDOW_END",
    "Compare",
    "CoreParams",
    "Delays",
    "Fabric",
    "Field",
    "HostCommand",
    "Leak",
    "MeshParams",
    "NeuronType",
    "PacketParams",
    "Port",
    "Reset",
    "RouterKind",
    "Table",
    "TableId",
    "ToHost",
    "ToTile",
    "bits_for",
]
