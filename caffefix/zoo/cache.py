"""Results of earlier runs, by everything that decides them.

A key is a hash of a file's content, of what stands beside it as far as it counts (``Family``), of
what was asked, and of this version of the tool: never a name, never a time. So copies of a file share
an entry, and what is in an entry is true for ever. Entries are written whole, by any number of
processes; one that is damaged counts as absent, and no failure of the cache is a failure of the run.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator
from enum import Enum
from hashlib import blake2b
from pathlib import Path
from typing import Any

from caffefix.caffe.family import Family
from caffefix.records import dataclass, replace
from caffefix.results import FileResult
from caffefix.syntax.diff import header
from caffefix.zoo.identity import identity

_TAG = "CACHEDIR.TAG"
# The first line is the same in every cache folder there is (Cache Directory Tagging Specification).
_TAG_TEXT = "Signature: 8a477f597d28d172789f06886806bc55\n# The cache of caffefix; it may be deleted.\n"
_CHECK = 16  # bytes of an entry's checksum
_DAY = 86400.0


class CacheError(Exception):
    """A folder that is no cache of ours; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache folder, as this version of the tool uses it.

    Attributes:
        folder: where the entries are.
        passing: whether it is for this run only.
    """

    folder: str
    passing: bool = False

    def get(self, key: str, path: str, name: str) -> FileResult | None:
        """The result that was kept, as that of another file; None without one.

        Args:
            key: from ``key_of``.
            path: the file.
            name: its name in the diff.
        """
        place = self._place(key)
        try:
            with open(place, "rb") as file:
                if not self.passing and time.time() - os.fstat(file.fileno()).st_mtime > _DAY:
                    os.utime(place)  # so that what is of use is not pruned
                result = _unpacked(file.read(), key)
        except Exception:  # absent or damaged, in whatever way
            return None
        return _as_file(result, path, name)

    def put(self, key: str, result: FileResult) -> None:
        """Keep a result."""
        anonymous = _anonymous(result)
        if anonymous is None:
            return
        place = self._place(key)
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(place), exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=os.path.dirname(place), prefix=".new-")
            try:
                with open(handle, "wb") as file:
                    file.write(_packed(anonymous, key))
                os.replace(temporary, place)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise

    def close(self) -> None:
        """Delete it if it is for one run only."""
        if self.passing:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _place(self, key: str) -> str:
        return os.path.join(self.folder, key[:2], key[2:])


def open_cache(folder: str) -> Cache:
    """The cache in a folder, which is made if it is not there; where that cannot be, one for this run."""
    try:
        os.makedirs(folder, exist_ok=True)
        for name, text in ((_TAG, _TAG_TEXT), (".gitignore", "*\n")):
            if not os.path.exists(os.path.join(folder, name)):
                Path(folder, name).write_text(text, encoding="ascii")
    except OSError:
        return passing_cache()
    return Cache(os.path.join(os.path.abspath(folder), identity()))


def passing_cache() -> Cache:
    """A cache for one run: copies of a file are repaired once all the same."""
    return Cache(tempfile.mkdtemp(prefix="caffefix-"), passing=True)


def key_of(data: bytes, family: Family, asked: str) -> str:
    """What a result depends on, in a few characters.

    Args:
        data: the file's content.
        family: what stands beside it.
        asked: what is looked for, and what may be done, in words that say all of it.
    """
    digest = blake2b(digest_size=20)
    for part in (identity().encode(), asked.encode("utf-8", "surrogateescape"), data, *family.key):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


# ---------------------------------------------------------------- results without a name


def _anonymous(result: FileResult) -> FileResult | None:
    """A result that is true for every file of that content; None if it speaks of the file's name."""
    reason = result.reason
    if reason:
        if not reason.startswith(f"{result.path}:"):
            return None
        reason = reason[len(result.path) :]
        if f"{result.path}:" in reason:
            return None
    return replace(
        result,
        path="",
        reason=reason,
        diff=_headless(result.diff),
        unsafe=tuple(map(_headless, result.unsafe)),
        stages=tuple(replace(stage, diff=_headless(stage.diff)) for stage in result.stages),
    )


def _headless(diff: bytes) -> bytes:
    return diff.split(b"\n", 2)[2] if diff else b""


def _as_file(result: FileResult, path: str, name: str) -> FileResult:
    head = header(name.encode("utf-8", "surrogateescape").decode("latin-1")).encode("latin-1")
    return replace(
        result,
        path=path,
        reason=path + result.reason if result.reason else "",
        diff=head + result.diff if result.diff else b"",
        unsafe=tuple(head + diff for diff in result.unsafe),
        stages=tuple(replace(stage, diff=head + stage.diff) for stage in result.stages),
    )


# ---------------------------------------------------------------- entries


def _packed(result: FileResult, key: str) -> bytes:
    body = zlib.compress(pickle.dumps(result, 4), 1)
    return _checksum(body, key) + body


def _unpacked(entry: bytes, key: str) -> FileResult:
    check, body = entry[:_CHECK], entry[_CHECK:]
    if check != _checksum(body, key):
        raise ValueError("damaged")
    result = _Facts(io.BytesIO(zlib.decompress(body))).load()
    if not isinstance(result, FileResult):
        raise ValueError("no result")
    return result


def _checksum(body: bytes, key: str) -> bytes:
    return blake2b(body, digest_size=_CHECK, key=key.encode()).digest()


class _Facts(pickle.Unpickler):
    """Reads our dataclasses and enums and nothing else: a cache may come from who knows where."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("caffefix.") and "." not in name:
            found = super().find_class(module, name)
            # What has __match_args__ is a dataclass: none of our other classes has them.
            if isinstance(found, type) and ("__match_args__" in found.__dict__ or issubclass(found, Enum)):
                return found
        raise pickle.UnpicklingError(f"{module}.{name}")


# ---------------------------------------------------------------- housekeeping


@dataclass(frozen=True, slots=True)
class Usage:
    """What is in a cache.

    Attributes:
        entries: how many results.
        size: in bytes.
        stale: how many of them are of other versions of the tool.
    """

    entries: int
    size: int
    stale: int


def usage(folder: str) -> Usage:
    """What is in a cache folder.

    Raises:
        CacheError: it is not one.
    """
    _check_ours(folder)
    entries = size = stale = 0
    for version, entry in _entries(folder):
        entries += 1
        size += entry.stat().st_size
        stale += version != identity()
    return Usage(entries, size, stale)


def prune(folder: str, days: float) -> int:
    """Delete what other versions left, and what was not of use for some days; how many entries.

    Raises:
        CacheError: it is not a cache.
    """
    _check_ours(folder)
    gone = 0
    now = time.time()
    for version, entry in _entries(folder):
        with contextlib.suppress(OSError):
            if version != identity() or now - entry.stat().st_mtime > days * _DAY:
                os.unlink(entry.path)
                gone += 1
    for path, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):  # it is not empty
            os.rmdir(path)
    return gone


def clear(folder: str) -> None:
    """Delete a cache folder.

    Raises:
        CacheError: it is not one, or cannot be deleted.
    """
    _check_ours(folder)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise CacheError(f"{folder}: cannot be deleted: {error.strerror or error}") from None


def _check_ours(folder: str) -> None:
    try:
        found = Path(folder, _TAG).read_text(encoding="ascii")
    except (OSError, ValueError):
        found = ""
    if found != _TAG_TEXT:
        raise CacheError(f"{folder}: there is no cache of caffefix")


def _entries(folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    for version in os.scandir(folder):
        if version.is_dir(follow_symlinks=False):
            for shard in os.scandir(version.path):
                if shard.is_dir(follow_symlinks=False):
                    yield from ((version.name, entry) for entry in os.scandir(shard.path))
