"""The command ``spikewatt schema``: what the JSON of a report holds."""

import json
from dataclasses import dataclass
from typing import Annotated

import typer

__all__ = ["SchemaCommand", "schema"]


@dataclass(frozen=True, kw_only=True)
class SchemaCommand:
    """Options of ``spikewatt schema``."""

    name: Annotated[str, typer.Argument(help="comparison, energy, run, sweep or synth.")]


def schema(options: SchemaCommand) -> None:
    """Print the JSON schema of a report, as made from its type."""
    from spikewatt.flow.schemas import schema_of

    print(json.dumps(schema_of(options.name), indent=1))
