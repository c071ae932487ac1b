"""Results that are computed once and kept, up to a bound: shared by all files of a process.

Functions of few plain arguments use ``functools.lru_cache``. A ``Memo`` is for answers whose key is not their
argument, on paths where a look-up must cost no more than a dict's.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    K = TypeVar("K")
    V = TypeVar("V")


class Memo(dict["K", "V"]):
    """A dict that forgets everything when it is full, which costs about one cold file.

    Args:
        name: what it holds, in a few words, for memory profiling.
        most: the maximum number of entries.
    """

    __slots__ = ("most", "name")

    def __init__(self, name: str, most: int) -> None:
        super().__init__()
        self.name = name
        self.most = most

    def keep(self, key: K, value: V) -> V:
        """Keep an answer, and return it."""
        if len(self) >= self.most:
            self.clear()
        self[key] = value
        return value

    def __repr__(self) -> str:
        return f"<Memo {self.name!r}: {len(self)} of {self.most}>"
