"""Where the built-in technology lies."""

from pathlib import Path

__all__ = ["default_library_path"]


def default_library_path() -> Path:
    """``spikewatt45.lib``, which ``generate`` writes."""
    return Path(__file__).with_name("spikewatt45.lib")
