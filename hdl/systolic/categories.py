"""What each part of the systolic core is for, in a joule ledger."""

from collections.abc import Mapping

__all__ = ["SYSTOLIC_CATEGORIES"]

SYSTOLIC_CATEGORIES: Mapping[str, str] = {
    "": "control",
    "logic.array": "datapath",
    "logic.accumulator": "datapath",
}
"""``datapath`` multiplies, adds and requantises; whatever orders, addresses or configures is
``control``. By the path of the instance; parts of a part are what it is, unless named here."""
