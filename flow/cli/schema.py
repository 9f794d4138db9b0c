"""The command ``spikewatt schema``: what the JSON of a report holds."""

import json
from dataclasses import dataclass
from typing import Annotated

import typer

from spikewatt.flow.schemas import HOMES, schema_of

__all__ = ["SchemaCommand", "schema"]


@dataclass(frozen=True, kw_only=True)
class SchemaCommand:
    """Options of ``spikewatt schema``."""

    name: Annotated[str, typer.Argument(help=f"One of {', '.join(HOMES)}.")]


def schema(options: SchemaCommand) -> None:
    """Print the JSON schema of a report, as made from its type."""
    print(json.dumps(schema_of(options.name), indent=1))
