"""Energy by its three terms, as OpenSTA and the ledger have them."""

from dataclasses import dataclass

__all__ = ["Energy", "EnergyFigures"]


@dataclass(frozen=True, kw_only=True)
class EnergyFigures:
    """Terms and their sum as reports hold them: J, or W where the field's name says so."""

    switching: float
    internal: float
    leakage: float
    total: float


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of something in J; divided by a time, its mean power in W.

    Parameters
    ----------
    switching:
        Of the nets that it drives.
    internal:
        Within its cells, clock pins included.
    leakage:
        What it takes whether or not anything changes.
    """

    switching: float = 0.0
    internal: float = 0.0
    leakage: float = 0.0

    @property
    def total(self) -> float:
        """All three."""
        return self.switching + self.internal + self.leakage

    def __add__(self, more: "Energy") -> "Energy":
        return Energy(
            self.switching + more.switching,
            self.internal + more.internal,
            self.leakage + more.leakage,
        )

    def __truediv__(self, divisor: float) -> "Energy":
        return Energy(self.switching / divisor, self.internal / divisor, self.leakage / divisor)

    def figures(self) -> EnergyFigures:
        """The terms and their sum as data."""
        return EnergyFigures(
            switching=self.switching,
            internal=self.internal,
            leakage=self.leakage,
            total=self.total,
        )
