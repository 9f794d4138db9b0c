"""Look-up tables of a library: units, templates, and tables turned to (slew, load)."""

import re
from dataclasses import dataclass, field

import numpy as np

from spikewatt.synth.liberty.library import FloatArray, Table
from spikewatt.synth.liberty.syntax import FlawError, Group, numbers

__all__ = ["Tables", "Units"]

_AXES = {
    "input_net_transition": "slew",
    "input_transition_time": "slew",
    "total_output_net_capacitance": "load",
}
_PREFIX = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15, "a": 1e-18}
_QUANTITY = re.compile(r"\s*([0-9.eE+-]*?)\s*([munpfa]?)(s|v|w|f)\s*", re.IGNORECASE)
_NONE = np.zeros(1)


@dataclass(frozen=True)
class Units:
    """What one unit of the file is in SI units."""

    time: float
    voltage: float
    capacitance: float
    leakage: float

    @property
    def energy(self) -> float:
        """Unit of internal power: OpenSTA's, capacitance × voltage²."""
        # Liberty names no unit of energy.
        return self.capacitance * self.voltage**2

    @classmethod
    def of(cls, library: Group, warnings: list[str]) -> "Units":
        """Units that ``library`` declares; Liberty's usual ones, with a warning, if it does not."""

        def unit(attribute: str, usual: str) -> float:
            words = library.words(attribute)
            if not words:
                warnings.append(f"no {attribute}: taken as {usual}")
            match = _QUANTITY.fullmatch("".join(words) or usual)
            try:
                value = float(match[1] or 1) * _PREFIX[match[2].lower()] if match else 0.0
            except ValueError:
                value = 0.0
            if not value > 0:
                given = " ".join(words)
                raise library.flaw(
                    f"{attribute} {given!r} is not a unit: write it like {usual!r}", attribute
                )
            return value

        return cls(
            time=unit("time_unit", "1ns"),
            voltage=unit("voltage_unit", "1V"),
            capacitance=unit("capacitive_load_unit", "1pF"),
            leakage=unit("leakage_power_unit", "1nW"),
        )


@dataclass(frozen=True)
class _Template:
    axes: tuple[str, ...]
    index: tuple[tuple[str, int] | None, ...]


@dataclass
class Tables:
    """Makes tables of groups by the templates of one library."""

    units: Units
    templates: dict[str, _Template] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)
    _axes: dict[tuple[str, float], FloatArray] = field(default_factory=dict)

    def learn(self, library: Group) -> None:
        """Take the templates that ``library`` declares."""
        for group in library.every("lu_table_template", "power_lut_template"):
            variables = [v for k in (1, 2, 3) if (v := group.text(f"variable_{k}"))]
            self.templates[group.name] = _Template(
                tuple(_AXES.get(v, v) for v in variables),
                tuple(group.attributes.get(f"index_{k + 1}") for k in range(len(variables))),
            )

    def table(self, group: Group | None, scale: float) -> Table | None:
        """Table of ``group`` with its values in units of ``scale``.

        ``None`` where there is none, or where it depends on more than slew and load.
        """
        if group is None:
            return None
        raw, offset = group.attributes.get("values", ("", group.offset))
        values = np.array(numbers(raw, offset)) * scale
        template = self._template(group, values.size)
        if not set(template.axes) <= {"slew", "load"} or len(set(template.axes)) < len(
            template.axes
        ):
            axes = " and ".join(template.axes)
            self.warnings[f"tables over {axes} are not read: only over slew and load"] = None
            return None
        axes = {
            kind: self._axis(group, k, kind, template.index[k])
            for k, kind in enumerate(template.axes)
        }
        shape = tuple(map(len, axes.values()))
        if values.size != np.prod(shape, dtype=int):
            wanted = "×".join(map(str, shape)) or "1"
            raise FlawError(
                offset, f"{group.kind} holds {values.size} values where its axes ask for {wanted}"
            )
        values = values.reshape(shape)
        # One order for all tables, so that nobody above asks.
        if tuple(axes) == ("load", "slew"):
            values = np.ascontiguousarray(values.T)
        slew, load = axes.get("slew", _NONE), axes.get("load", _NONE)
        return Table(slew, load, values.reshape(len(slew), len(load)))

    def _template(self, group: Group, size: int) -> _Template:
        names = group.names
        name = names[0] if names else "scalar"
        if name in self.templates:
            return self.templates[name]
        # One number needs no axes, whatever its template is called.
        if name == "scalar" or size == 1:
            return _Template((), ())
        raise group.flaw(f"{group.kind} uses template {name!r}, which the library does not define")

    def _axis(
        self, group: Group, place: int, kind: str, default: tuple[str, int] | None
    ) -> FloatArray:
        entry = group.attributes.get(f"index_{place + 1}", default)
        if entry is None:
            raise group.flaw(f"{group.kind} has no index_{place + 1}, nor has its template")
        scale = self.units.time if kind == "slew" else self.units.capacitance
        # Thousands of tables share a few axes: each is converted, and kept, once.
        axis = self._axes.get((entry[0], scale))
        if axis is None:
            axis = np.array(numbers(*entry)) * scale
            if not len(axis) or (np.diff(axis) <= 0).any():
                raise FlawError(entry[1], f"index_{place + 1} must be ascending numbers: sort it")
            self._axes[entry[0], scale] = axis
        return axis
