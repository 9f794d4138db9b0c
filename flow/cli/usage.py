"""What is said of a command line that cannot be understood."""

from collections.abc import Sequence
from itertools import pairwise

import typer

__all__ = ["usage_message"]


def usage_message(error: typer.TyperException, words: Sequence[str]) -> str:
    """Say what is wrong with the ``words`` of a command line, and what to write instead.

    Parameters
    ----------
    error:
        What the parser of the command line raised.
    words:
        The whole command line.
    """
    # Options are validated by pydantic, which puts the kind of its own exception first.
    message = error.format_message().replace("Value error, ", "").removesuffix(".")
    for word, value in pairwise(words):
        if word == "--json" and f"({value}" in message:
            return f"{message}: --json is a flag, so write --json > {value}"
    return f"{message} (spikewatt --help shows the commands)"
