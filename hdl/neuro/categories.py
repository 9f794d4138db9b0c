"""What each part of the neuromorphic core is for, in a joule ledger."""

from collections.abc import Mapping

__all__ = ["CATEGORIES"]

CATEGORIES: Mapping[str, str] = {
    "": "control",
    "logic.synapses": "datapath",
    "logic.neurons": "datapath",
}
"""``datapath`` adds synapses and updates neurons; whatever finds, orders, sends or configures is
``control``. By the path of the instance; parts of a part are what it is, unless named here."""
