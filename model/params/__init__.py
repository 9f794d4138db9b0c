"""Parameters of the hardware: the one thing that models and hardware share."""

from spikewatt.model.params.core import LIMITS, CoreParams
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
    CONFIG_TABLE_SHIFT,
    Field,
    Table,
    TableId,
    bits_for,
)

__all__ = [
    "CONFIG_ADDRESS_BITS",
    "CONFIG_DATA_BITS",
    "CONFIG_TABLE_SHIFT",
    "LEAK_FRACTION_BITS",
    "LIMITS",
    "WINDOW_END",
    "Compare",
    "CoreParams",
    "Field",
    "Leak",
    "NeuronType",
    "Reset",
    "Table",
    "TableId",
    "bits_for",
]
