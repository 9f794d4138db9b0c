"""Several Liberty files as the text of one, for tools that take a single file."""

from collections.abc import Iterator, Sequence

from spikewatt.synth.liberty.syntax import Group, parse

__all__ = ["merged_text"]

_TEMPLATES = ("lu_table_template", "power_lut_template", "type")


def merged_text(texts: Sequence[str]) -> str:
    """The first library with the cells of the others; of two cells of one name the first counts.

    Units are the first file's. That makes the delays of a library in others wrong, by which a
    mapping chooses among cells, and no cell's function.
    """
    if len(texts) == 1:
        return texts[0]
    (first,) = parse(texts[0]).every("library")
    known = {(group.kind, name) for group in first.groups for name in group.names}
    added: list[str] = []
    for text in texts[1:]:
        (library,) = parse(text).every("library")
        added += [text[group.offset : group.end] for group in _wanted(library, known)]
    # Before the brace that closes the library.
    end = first.end - 1
    return "\n".join([texts[0][:end], *added, texts[0][end:]])


def _wanted(library: Group, known: set[tuple[str, str]]) -> Iterator[Group]:
    """Cells and templates that are not known yet."""
    for group in library.every("cell", *_TEMPLATES):
        keys = {(group.kind, name) for name in group.names}
        if keys and known.isdisjoint(keys):
            known |= keys
            yield group
