"""Finding the Caffe in a file's repository: its caffe.proto, and what its sources register.

A file belongs to the innermost folder above it that is a git repository, that ``--root`` names, or that was given;
nothing beyond is read. Links are not followed, and the number of files and bytes is limited.
"""

from __future__ import annotations

import os
import re
import stat
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from caffefix._startup.patterns import pattern
from caffefix._startup.records import dataclass
from caffefix.caffe.caffes import Caffes, Own
from caffefix.syntax.source import Source, visible
from caffefix.zoo.files import FileError, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.proto.model import File

USUAL = os.path.join("src", "caffe", "proto", "caffe.proto")
LARGEST_PROTO = 1 << 20  # bytes
LARGEST_SOURCE = 1 << 22
MOST_BYTES = 1 << 26  # of all sources
MOST_ENTRIES = 1 << 11  # of folders, in the search for a .proto file, which every run in a repository makes
MOST_SOURCES = 1 << 13  # entries of folders, in the search for sources
_UP = 32  # folders
_SUFFIXES = (".cpp", ".cc", ".cu", ".hpp", ".h", ".cuh")
_LAYERS = pattern(rb"\bmessage\s+(?:LayerParameter|LayerConnection)\b")


class OwnCaffeError(Exception):
    """A requested .proto file that cannot be used as the dialect; the message says why, and where."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a file.

    Attributes:
        caffes: those that it is judged by, including the repository's own; None where it has none of its own.
        trouble: why the repository's .proto file cannot be used; empty if it can, or if there is no such file.
    """

    caffes: Caffes | None = None
    trouble: str = ""


class OwnCaffes:
    """Finds the Caffe that files are for; results are cached.

    Args:
        roots: folders that contain at most one Caffe each: given by ``--root``.
        given: folders in which the files are.
    """

    def __init__(self, roots: Sequence[str] = (), given: Iterable[str] = ()) -> None:
        self._roots = frozenset(map(os.path.realpath, roots))
        self._given = frozenset(map(os.path.realpath, given))
        self._by_folder: dict[str, Found] = {}
        self._by_proto: dict[str, Found] = {}
        self._by_content: dict[bytes, Found] = {}

    def of(self, folder: str, proto: str = "") -> Found:
        """The Caffe that the files of a folder are for.

        Args:
            folder: the folder; it need not exist.
            proto: the caffe.proto that the user names, if any.

        Raises:
            OwnCaffeError: the named caffe.proto cannot be used.
        """
        if proto:
            found = self._remembered(proto, _shown(proto), None)
            if found.trouble:
                raise OwnCaffeError(found.trouble)
            return found
        real = os.path.realpath(folder)
        if real not in self._by_folder:
            self._by_folder[real] = self._search(real)
        return self._by_folder[real]

    def _search(self, folder: str) -> Found:
        passed = self._passed(folder)
        for above in passed:
            path = os.path.join(above, USUAL)
            if _is_file(path):
                return self._remembered(path, USUAL.replace(os.sep, "/"), above)
        top = passed[-1] if passed else ""
        if not top or not (top in self._roots or _is_repository(top)):
            return Found()
        if top not in self._by_folder:
            self._by_folder[top] = self._only(top)
        return self._by_folder[top]

    def _passed(self, folder: str) -> list[str]:
        """The folders from a file's up to the root of its repository; empty if there is no such root."""
        passed: list[str] = []
        given = 0  # number of folders up to the outermost given one, in case no other root is found
        for _ in range(_UP):
            passed.append(folder)
            if folder in self._roots or _is_repository(folder):
                return passed
            if folder in self._given:
                given = len(passed)
            parent = os.path.dirname(folder)
            if parent == folder:
                break
            folder = parent
        return passed[:given]

    def _only(self, top: str) -> Found:
        """The .proto file of a repository with layers, if there is only one."""
        protos = []
        for path in _walk(top, (".proto",), MOST_ENTRIES):
            if path is None:
                return Found()  # there may be more
            if _has_layers(path):
                protos.append(path)
        if len(protos) != 1:
            return Found()
        return self._remembered(protos[0], os.path.relpath(protos[0], top).replace(os.sep, "/"), top)

    def _remembered(self, path: str, name: str, top: str | None) -> Found:
        """A .proto file and the sources of its tree.

        Args:
            path: the file.
            name: what messages call it.
            top: the folder of its repository; None for one that the user names.
        """
        real = os.path.realpath(path)
        if real not in self._by_proto:
            found = _read(path, name, top)
            if found.caffes is not None and found.caffes.given is not None:
                # Copies of one Caffe share an object, and with it what is known about files.
                found = self._by_content.setdefault(found.caffes.given.digest, found)
            self._by_proto[real] = found
        return self._by_proto[real]


def _shown(path: str) -> str:
    """A path as people would write it: relative to the working folder, if it is below that."""
    relative = os.path.relpath(path) if os.path.isabs(path) else path
    return path if relative.startswith(os.pardir) else relative.replace(os.sep, "/")


def _is_repository(folder: str) -> bool:
    return os.path.lexists(os.path.join(folder, ".git"))


def _is_file(path: str) -> bool:
    """Whether a path is a regular file, and neither it nor any folder above it is a link."""
    if os.path.realpath(path) != path:
        return False
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _is_folder(path: str) -> bool:
    """Whether a path is a folder, and not a link to one."""
    return os.path.isdir(path) and not os.path.islink(path)


def _has_layers(path: str) -> bool:
    try:
        return _LAYERS.search(read(path, LARGEST_PROTO)) is not None
    except FileError:
        return False


def _walk(top: str, suffixes: tuple[str, ...], most: int) -> Iterator[str | None]:
    """Files below a folder, those of outer folders first; ends with None if there are too many."""
    folders = deque([top])
    left = most
    while folders:
        try:
            with os.scandir(folders.popleft()) as entries:
                found = list(islice(entries, left + 1))
        except OSError:
            continue
        left -= len(found)
        if left < 0:
            yield None
            return
        for entry in found:
            if entry.name.endswith(suffixes):
                if entry.is_file(follow_symlinks=False):
                    yield entry.path
            elif entry.name[0] != "." and entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)


def _read(path: str, name: str, top: str | None) -> Found:
    from caffefix.caffe.own.messages import is_caffe
    from caffefix.proto.link import link
    from caffefix.proto.model import ProtoError

    def opened(imported: str) -> File | None:
        """A file of the same folder, by its last name."""
        if "\0" in imported:
            return None
        beside = os.path.join(os.path.dirname(path), os.path.basename(imported))
        if not _is_file(os.path.realpath(beside)) or os.path.islink(beside):
            return None
        shown = os.path.join(os.path.dirname(name), os.path.basename(imported)).replace(os.sep, "/")
        return _file(shown, read(beside, LARGEST_PROTO))

    try:
        file = _file(name, read(path, LARGEST_PROTO))
        linked = link(file, opened)
    except (ProtoError, FileError) as error:
        return Found(trouble=visible(str(error)))
    if not is_caffe(file):
        return Found(trouble=f"{visible(name)}: it has no LayerParameter, so it is not from a Caffe")
    from hashlib import blake2b

    from caffefix.caffe.own.sources import NOTHING, registered

    sources = _sources(_tree(path, top or ""))
    named = registered(sources) if sources is not None else NOTHING
    is_given = top is None
    texts = [one.source.data for one in linked.files]
    state = repr((texts, sorted(map(repr, named.names)), named.upgrades, name, is_given))
    digest = blake2b(state.encode(), digest_size=20).digest()
    return Found(Caffes(Own(name, linked, named, digest, is_given)))


@lru_cache(maxsize=32)
def _file(name: str, data: bytes) -> File:
    """A parsed .proto file; many repositories have copies of the same one.

    Raises:
        ProtoError: it cannot be parsed.
    """
    from caffefix.proto.reader import read as read_proto

    return read_proto(Source(name, data))


def _tree(path: str, top: str) -> str:
    """The folder whose sources belong to a caffe.proto; empty if it is unknown."""
    real = os.path.realpath(path)
    usual = os.sep + USUAL
    return real[: -len(usual)] if real.endswith(usual) else top


def _sources(tree: str) -> list[bytes] | None:
    """The C++ sources of a Caffe that register something; None if they cannot all be read.

    A Caffe that is only partly read would seem to lack what it has.
    """
    from caffefix.caffe.own.sources import WORDS

    if not tree:
        return None
    parts = [part for part in (os.path.join(tree, "src"), os.path.join(tree, "include")) if _is_folder(part)]
    words = re.compile(b"|".join(map(re.escape, WORDS)))
    found = []
    size = 0
    for part in parts or [tree]:
        for path in _walk(part, _SUFFIXES, MOST_SOURCES):
            try:
                data = read(path, LARGEST_SOURCE) if path is not None else None
            except FileError:
                return None
            if data is None or size + len(data) > MOST_BYTES:
                return None
            size += len(data)
            if words.search(data):
                found.append(data)
    return found
