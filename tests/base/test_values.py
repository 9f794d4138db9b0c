"""Values from memory and from the build cache, and what keeps them from being another's."""

import stat
from pathlib import Path

import pytest

from spikewatt.base import sources, values
from spikewatt.base.errors import NetlistError, ToolError
from spikewatt.base.sources import Sources
from spikewatt.base.values import cached_value, forget_values, remembered

OURS = Sources(("spikewatt.base.values",))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKEWATT_CACHE", str(tmp_path / "cache"))
    forget_values()


class Maker:
    """Makes lists, and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> list[int]:
        self.made += 1
        return [self.made]

    def value(self, *content: str, kind: str = "list", ours: Sources = OURS) -> list[int]:
        return cached_value(kind, content, ours, self)


def test_a_value_is_made_once() -> None:
    maker = Maker()
    first = maker.value("a")
    assert maker.value("a") is first
    forget_values()  # as another process has
    again = maker.value("a")
    assert again == first
    assert again is not first
    assert maker.made == 1


def test_whatever_it_depends_on_makes_another(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Maker()
    maker.value("a", "b")
    maker.value("a", "c")
    maker.value("a", "b", kind="other")
    maker.value("ab")
    assert maker.made == 4
    monkeypatch.setattr(values, "version", lambda package: "of tomorrow")
    maker.value("a", "b")
    assert maker.made == 5
    monkeypatch.setattr(sources, "source_digest", lambda *names: "other")
    maker.value("a", "b", ours=Sources(OURS.names))
    assert maker.made == 6


def test_nothing_is_kept_while_the_sources_are_edited(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Maker()
    monkeypatch.setattr(sources, "source_digest", lambda *names: "edited")
    assert maker.value("a") == [1]
    assert maker.value("a") == [2]


def test_what_cannot_be_made_leaves_nothing() -> None:
    def fail() -> None:
        raise NetlistError("no")

    for _ in range(2):
        with pytest.raises(NetlistError, match="no"):
            cached_value("list", ["a"], OURS, fail)
    assert Maker().value("a") == [1]


def test_it_can_do_without_a_cache(tmp_path: Path) -> None:
    """A folder that is a file: as root, no mode of a folder keeps us from writing."""
    (tmp_path / "cache").write_text("")
    maker = Maker()
    assert maker.value("a") == [1]
    assert maker.made == 1

    def fail() -> None:
        raise ToolError("of its own")

    (tmp_path / "cache").unlink()
    with pytest.raises(ToolError, match="of its own"):
        cached_value("list", ["a"], OURS, fail)
    assert stat.S_ISDIR((tmp_path / "cache").stat().st_mode)


def test_memory_holds_the_last_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "KEPT", 2)
    maker = Maker()
    first, second = (remembered("list", [name], maker) for name in "ab")
    assert remembered("list", ["a"], maker) is first
    remembered("list", ["c"], maker)
    assert remembered("list", ["a"], maker) is first
    assert remembered("list", ["b"], maker) is not second
