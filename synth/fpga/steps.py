"""How long the steps of a build took: kept with what they made."""

import json
from collections.abc import Mapping
from pathlib import Path

__all__ = ["keep_seconds", "kept_seconds"]

_FILE = "seconds.json"


def keep_seconds(folder: Path, seconds: Mapping[str, float]) -> None:
    """Write down how long each step took."""
    rounded = {step: round(taken, 2) for step, taken in seconds.items()}
    (folder / _FILE).write_text(json.dumps(rounded))


def kept_seconds(folder: Path) -> dict[str, float]:
    """How long each step took that made a folder."""
    return json.loads((folder / _FILE).read_text())
