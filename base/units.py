"""SI units for people: a number with four digits and a prefix."""

__all__ = ["si"]

# Down from one: nothing that is priced or timed here reaches a thousand joules, watts or seconds.
_PREFIXES = (("", 1.0), ("m", 1e-3), ("µ", 1e-6), ("n", 1e-9), ("p", 1e-12))


def si(value: float, unit: str) -> str:
    """Value with four digits and a prefix."""
    for prefix, scale in _PREFIXES:
        if abs(value) >= scale:
            return f"{value / scale:.4g} {prefix}{unit}"
    return f"{value / 1e-15:.4g} f{unit}"
