"""Which files a command line refers to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from caffefix._startup.records import dataclass, field
from caffefix.zoo.files import head
from caffefix.zoo.ignores import Ignores

# PyTorch also uses .pt for its archives: those are recognised by their first bytes.
SUFFIXES = (".prototxt", ".prototxt.txt", ".pt", ".pbtxt")
_SNIFF = 512
_LOCK = ".#"  # Emacs's links to nowhere, beside files with changes that are not saved


def _nothing(path: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Search:
    """How folders are searched. Paths that are given explicitly are always included.

    Attributes:
        excluded: whether a file or folder is skipped.
        included: whether a file without any of the usual suffixes is included.
        gitignore: whether ``.gitignore`` counts; ``.caffefixignore`` always does.
        follow_links: whether links to folders are followed.
    """

    excluded: Callable[[str], bool] = _nothing
    included: Callable[[str], bool] = _nothing
    gitignore: bool = True
    follow_links: bool = False


def discover(paths: Iterable[str], search: Search | None = None) -> Iterator[str]:
    """The files to process, each once, whatever links lead to it.

    Files that are given explicitly are included whatever their names. Folders are searched for prototxt
    files in the order of their names; hidden folders are left out.

    Args:
        paths: files and folders.
        search: how folders are searched.
    """
    search = search or Search()
    seen: set[str] = set()
    for path in paths:
        found = _Walk(path, search).files() if os.path.isdir(path) else iter([(path, os.path.realpath(path))])
        for name, real in found:
            if real not in seen:
                seen.add(real)
                yield name


def listed(data: bytes) -> list[str]:
    """The paths of a list, in order: terminated by NUL if it contains one, otherwise one per line."""
    separator = b"\0" if b"\0" in data else b"\n"
    names = (name.removesuffix(b"\r") if separator == b"\n" else name for name in data.split(separator))
    return sorted({os.fsdecode(name) for name in names if name})


@dataclass(slots=True)
class _Walk:
    """The search of one folder."""

    top: str
    search: Search
    _closed: list[str] = field(default_factory=list)  # cannot be searched; reading one later reports why
    _entered: set[str] = field(default_factory=set)

    def files(self) -> Iterator[tuple[str, str]]:
        """Files with their real paths."""
        ignores = Ignores(os.path.abspath(self.top), self.search.gitignore)
        folders = [(self.top, os.path.abspath(self.top))]
        while folders:
            folder, absolute = folders.pop()
            real = os.path.realpath(absolute)
            if real in self._entered:
                continue  # a link led here before
            self._entered.add(real)
            below = []
            for entry, is_folder in self._entries(folder):
                if self._passed_over(entry, is_folder) or ignores.ignored(absolute, entry.name, is_folder):
                    continue
                if is_folder:
                    below.append((entry.path, os.path.join(absolute, entry.name)))
                else:
                    linked = entry.is_symlink()
                    yield entry.path, os.path.realpath(entry.path) if linked else os.path.join(real, entry.name)
            folders += reversed(below)
        yield from ((path, os.path.realpath(path)) for path in self._closed)

    def _entries(self, folder: str) -> Iterator[tuple[os.DirEntry[str], bool]]:
        """The candidates in a folder: files with a matching name, and folders, each in order."""
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            self._closed.append(folder)
            return
        for entry in found:
            if _is_folder(entry):
                if not entry.name.startswith(".") and (self.search.follow_links or not entry.is_symlink()):
                    yield entry, True
            elif entry.name.startswith(_LOCK):
                continue
            elif entry.name.endswith(SUFFIXES) or self.search.included(entry.path):
                yield entry, False

    def _passed_over(self, entry: os.DirEntry[str], is_folder: bool) -> bool:
        if not is_folder and entry.name.endswith(".pt") and entry.is_file() and _is_binary(entry.path):
            return True
        return self.search.excluded(entry.path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that points to itself
        return False


def _is_binary(path: str) -> bool:
    start = head(path, _SNIFF)
    return b"\0" in start or start.startswith((b"PK", b"\x80"))
