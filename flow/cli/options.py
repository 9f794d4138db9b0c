"""Options that commands share, and how a command gets all of its own as one frozen object.

Typer reads the options of a command from the signature of a function. Ours are fields of a frozen
dataclass: `command` spells the signature out for typer, and behind it one object travels on.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import typer

from spikewatt.model.params import RouterKind

__all__ = [
    "Data",
    "DuplicateCells",
    "Images",
    "Lanes",
    "Liberty",
    "Mesh",
    "NetworkFile",
    "Output",
    "Router",
    "Table",
    "command",
]

NetworkFile = Annotated[Path, typer.Argument(help="Network file (.swn).")]
Data = Annotated[Path, typer.Option(help="NPZ with x[n, inputs] and, optionally, y[n].")]
Images = Annotated[int | None, typer.Option(min=1, help="Samples to run; all by default.")]
Lanes = Annotated[int, typer.Option(min=1, max=64, help="Synapse units of the core.")]
Mesh = Annotated[
    str | None,
    typer.Option(
        metavar="CxR|auto",
        help="Spread the network over columns x rows of cores, or as many as it needs.",
        show_default="one core",
    ),
]
Router = Annotated[
    RouterKind | None,
    typer.Option(help="What joins the cores of a mesh.", show_default="click"),
]
Liberty = Annotated[
    list[Path] | None,
    typer.Option(
        help="Library (.lib, .lib.gz); several times for several files.",
        show_default="the built-in 45 nm one",
    ),
]


DuplicateCells = Annotated[
    Literal["error", "first"],
    typer.Option(help="A cell that two libraries have: refuse, or take the first one's."),
]


@dataclass(frozen=True, kw_only=True)
class Output:
    """What a command says."""

    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object and nothing else.")
    ] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False


@dataclass(frozen=True)
class Table:
    """Options by name, in place of fields: for many of one kind, such as the sizes of a core.

    It stands in the annotation of a field, whose value is then a mapping of the options that were
    given.
    """

    options: Mapping[str, Any]


def command(job: Callable[[Any], None]) -> Callable[..., None]:
    """Give typer a function with a parameter for each field of the options that ``job`` takes.

    Parameters
    ----------
    job:
        A function of one frozen dataclass. A field annotated as for typer is an option or argument;
        one that is a dataclass itself stands for its fields, in its place; one with a `Table` for
        all options of the table.
    """
    (kind,) = (hint for name, hint in get_type_hints(job).items() if name != "return")

    @functools.wraps(job)
    def run(**given: Any) -> None:
        job(_filled(kind, given))

    parameters = list(_parameters(kind))
    # Typer asks for the signature and, once more, for the annotations.
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _table(hint: Any) -> Table | None:
    return next((each for each in get_args(hint) if isinstance(each, Table)), None)


def _hinted(kind: type) -> Iterable[tuple[Field[Any], Any]]:
    """Fields of a dataclass, each with its whole annotation."""
    hints = get_type_hints(kind, include_extras=True)
    return ((field, hints[field.name]) for field in fields(kind))


def _parameters(kind: type) -> Iterator[inspect.Parameter]:
    """The parameters that stand for the fields of ``kind``."""
    for field, hint in _hinted(kind):
        if is_dataclass(hint):
            assert isinstance(hint, type)
            yield from _parameters(hint)
        elif (table := _table(hint)) is not None:
            for name, option in table.options.items():
                yield _parameter(name, option, None)
        else:
            # Without a default it is what the user must give.
            default = inspect.Parameter.empty if field.default is MISSING else field.default
            yield _parameter(field.name, hint, default)


def _parameter(name: str, hint: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hint, default=default)


def _filled(kind: type, given: Mapping[str, Any]) -> Any:
    """An object of ``kind`` with what was given."""
    values: dict[str, Any] = {}
    for field, hint in _hinted(kind):
        if is_dataclass(hint):
            assert isinstance(hint, type)
            values[field.name] = _filled(hint, given)
        elif (table := _table(hint)) is not None:
            values[field.name] = {
                name: given[name] for name in table.options if given[name] is not None
            }
        else:
            values[field.name] = given[field.name]
    return kind(**values)
