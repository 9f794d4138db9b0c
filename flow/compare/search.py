"""The cheapest core of each side, found by pricing real runs."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Generic, TypeVar

from spikewatt.base.errors import CapacityError
from spikewatt.flow.compare.sides import NeuroSide, Pricing, SystolicSide
from spikewatt.flow.compare.variants import (
    NeuroVariant,
    SystolicVariant,
    refinements,
    usual,
)
from spikewatt.targets.price import PricedRun

__all__ = ["Found", "Measured", "search_neuro", "search_systolic"]

Variant = TypeVar("Variant", NeuroVariant, SystolicVariant)


@dataclass(frozen=True)
class Measured:
    """What a variant takes; all that the table of variants shows. Units are in the names."""

    label: str
    batch: int
    energy_per_inference_j: float
    standard_error_j: float | None
    blocks: int
    proven: int
    by_category: dict[str, float]
    latency_s: float
    seconds_per_inference: float
    leakage_w: float
    area_um2: dict[str, float]
    cells: int
    shortest_period_s: float
    meets_clock: bool
    mesh: str | None = None
    router: str | None = None
    packets: int | None = None
    hops: int | None = None
    barrier_cycles: int | None = None

    @classmethod
    def of(cls, label: str, batch: int, price: PricedRun) -> "Measured":
        """Take the figures out of a priced run."""
        return cls(
            label=label,
            batch=batch,
            energy_per_inference_j=price.per_inference_j,
            standard_error_j=price.standard_error_j,
            blocks=len(price.images),
            proven=price.proven,
            by_category=price.by_category,
            latency_s=price.latency_s,
            seconds_per_inference=price.seconds_per_inference,
            leakage_w=price.leakage_w,
            area_um2=price.area_um2,
            cells=price.mapped.cells,
            shortest_period_s=price.timing.period_s,
            meets_clock=price.timing.period_s <= price.period_s,
            **({} if price.network is None else asdict(price.network)),
        )


@dataclass
class Found(Generic[Variant]):
    """Every variant that was priced, and the cheapest of those that meet the clock."""

    tried: list[Measured] = field(default_factory=list)
    variant: Variant | None = None
    best: Measured | None = None
    price: PricedRun | None = None

    def consider(self, variant: Variant, batch: int, price: PricedRun) -> Measured:
        """Add a variant; keep its run if it is the cheapest so far."""
        measured = Measured.of(variant.label, batch, price)
        self.tried.append(measured)
        least = self.best.energy_per_inference_j if self.best else float("inf")
        # Cheaper but too slow is another operating point: both sides have one clock.
        if measured.meets_clock and measured.energy_per_inference_j < least:
            self.variant, self.best, self.price = variant, measured, price
        return measured


def search_neuro(
    side: NeuroSide, variants: Iterable[NeuroVariant], pricing: Pricing
) -> Found[NeuroVariant]:
    """Price samples on each core.

    Raises
    ------
    CapacityError
        The network fits none of them.
    """
    search: Found[NeuroVariant] = Found()
    refused: CapacityError | None = None
    for variant in variants:
        try:
            price = side.price(variant, pricing.named(variant.label))
        except CapacityError as error:
            refused = error
        else:
            search.consider(variant, 1, price)
    if refused is not None and not search.tried:
        raise refused
    return search


def search_systolic(
    side: SystolicSide,
    sizes: Sequence[tuple[int, int]],
    batch: int,
    pricing: Pricing,
    *,
    refine: bool,
) -> Found[SystolicVariant]:
    """Price samples on arrays of all sizes, then on the cheapest with options.

    ``refine``: try each option of `refinements` on top of those that paid.
    """
    search: Found[SystolicVariant] = Found()

    def attempt(variant: SystolicVariant) -> None:
        search.consider(variant, batch, side.price(variant, pricing.named(variant.label)))

    for rows, columns in sizes:
        attempt(usual(rows, columns, batch))
    if refine and search.variant is not None:
        # Each on top of those that paid: the list is made anew from the cheapest so far.
        for step in range(len(refinements(search.variant))):
            attempt(refinements(search.variant)[step])
    return search
