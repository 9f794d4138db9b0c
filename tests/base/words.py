"""What progress was told."""

__all__ = ["Words"]


class Words(list[str]):
    """Progress that keeps the words."""

    def __call__(self, what: str, done: float = 0, total: float = 0, /) -> None:
        self.append(what)
