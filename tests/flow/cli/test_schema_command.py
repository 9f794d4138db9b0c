"""``spikewatt schema``: every report has one."""

import json

import pytest

from spikewatt.base.errors import ParameterError
from spikewatt.flow.cli.schema import SchemaCommand, schema
from spikewatt.flow.schemas import HOMES

VERSIONS = {"comparison": 2, "energy": 2}
"""Of reports whose JSON has changed since the first; all others are at 1."""


@pytest.mark.parametrize("name", HOMES)
def test_schema(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    schema(SchemaCommand(name=name))
    printed = json.loads(capsys.readouterr().out)
    if name == "doctor":  # a mapping, whose keys are names of tools
        assert printed["additionalProperties"] == {"$ref": "#/$defs/Tool"}
        assert {"name", "path", "version", "needed"} <= printed["$defs"]["Tool"][
            "properties"
        ].keys()
        return
    kind = printed["$ref"].rpartition("/")[2]
    assert kind in printed["$defs"]
    if name not in ("synth", "fpga"):  # versions are part of the JSON of what people keep
        version = printed["$defs"][kind]["properties"]["schema"]
        (said,) = version["enum"]
        assert said == f"spikewatt.{name}/{VERSIONS.get(name, 1)}"


def test_unknown_report() -> None:
    with pytest.raises(
        ParameterError, match="there is no report 'x': name one of board, cache, cache-removal, "
    ):
        schema(SchemaCommand(name="x"))
