"""Results of earlier runs, keyed by everything that determines them.

A key is a hash of a file's content, of the relevant other files in its folder (``Family``), of
the request, and of this version of the tool: never of a name or a time. So copies of a file share
an entry, and an entry never becomes wrong. Entries are written atomically, by any number of
processes; a damaged one counts as absent, and no failure of the cache makes the run fail.

A cache belongs to one user. An entry is plain data (``plain.py``) with a mark that can only be made with the
user's secret (keyed BLAKE2), and so is the tag of the folder: an entry that somebody else
made counts as absent, and in a folder that somebody else made, nothing is read or written.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator
from hashlib import blake2b
from hmac import compare_digest

from caffefix._startup.records import dataclass, field, replace
from caffefix.caffe.family import Family
from caffefix.results import FileResult
from caffefix.syntax.diff import header
from caffefix.zoo.identity import identity
from caffefix.zoo.plain import RESULT
from caffefix.zoo.secret import SecretError, secret

_TAG = "CACHEDIR.TAG"
# The first line is the same in every cache folder there is (Cache Directory Tagging Specification).
_TAG_TEXT = "Signature: 8a477f597d28d172789f06886806bc55\n# The cache of caffefix; it may be deleted.\n"
_OLD = ".caffefix_cache"  # where earlier versions kept results: in the folder of the files
_NEW = ".new-"  # prefix of unfinished files' names
_MARK = 32  # bytes of an entry's mark
_DAY = 86400.0
# In bytes, packed and unpacked: a larger entry is neither written nor read.
_LARGEST, _LARGEST_UNPACKED = 64 << 20, 512 << 20


class CacheError(Exception):
    """A folder that is not a cache of this user; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache folder, as this version of the tool uses it.

    Attributes:
        folder: where the entries are.
        key: the secret that entries are marked with.
        passing: whether it is for this run only.
        trouble: why this run cannot use the intended cache; empty if it can.
    """

    folder: str
    key: bytes = field(default_factory=bytes, repr=False)
    passing: bool = False
    trouble: str = ""

    def get(self, key: str, path: str, name: str) -> FileResult | None:
        """The stored result, with the given file's names; None if there is no stored result.

        Args:
            key: from ``key_of``.
            path: the file.
            name: its name in the diff.
        """
        place = self._place(key)
        try:
            with open(place, "rb", opener=_no_link) as file:
                if not self.passing and time.time() - os.fstat(file.fileno()).st_mtime > _DAY:
                    os.utime(place)  # keeps entries that are in use from being pruned
                result = _unpacked(file.read(_LARGEST + 1), key, self.key)
        except Exception:  # absent, or damaged in any way
            return None
        return _as_file(result, path, name)

    def put(self, key: str, result: FileResult) -> None:
        """Store a result."""
        anonymous = _anonymous(result)
        entry = _packed(anonymous, key, self.key) if anonymous is not None else b""
        if not entry or len(entry) > _LARGEST:
            return
        place = self._place(key)
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=os.path.dirname(place), prefix=_NEW)
            try:
                with open(handle, "wb") as file:
                    file.write(entry)
                os.replace(temporary, place)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise

    def close(self) -> None:
        """Delete the cache if it is for this run only."""
        if self.passing:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _place(self, key: str) -> str:
        return os.path.join(self.folder, key[:2], key[2:])


def default_folder() -> str:
    """The user's cache folder, in the system's usual place."""
    from platformdirs import user_cache_dir

    return user_cache_dir("caffefix", appauthor=False)


def open_cache(folder: str) -> Cache:
    """The cache in a folder, which is created if it does not exist; if that fails, a cache for this run only."""
    try:
        key = secret()
        _claim(folder, key)
    except (CacheError, SecretError, OSError) as error:
        return replace(passing_cache(), trouble=f"results of earlier runs are not used: {error}")
    return Cache(os.path.join(os.path.abspath(folder), identity()), key)


def passing_cache() -> Cache:
    """A cache for one run: with it, too, copies of a file are repaired only once."""
    return Cache(tempfile.mkdtemp(prefix="caffefix-"), os.urandom(_MARK), passing=True)


def key_of(data: bytes, family: Family, asked: str) -> str:
    """A hash of everything that a result depends on.

    Args:
        data: the file's content.
        family: the other files in its folder.
        asked: what is checked for, and what may be done, completely, as text.
    """
    digest = blake2b(digest_size=20)
    for part in (identity().encode(), asked.encode("utf-8", "surrogateescape"), data, *family.key):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


# ---------------------------------------------------------------- results without a name


def _anonymous(result: FileResult) -> FileResult | None:
    """A result that holds for every file with this content; None if it mentions the file's name."""
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
        steps=tuple(replace(step, diff=_headless(step.diff)) for step in result.steps),
        choices=tuple(replace(choice, diff=_headless(choice.diff)) for choice in result.choices),
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
        steps=tuple(replace(step, diff=head + step.diff) for step in result.steps),
        choices=tuple(replace(choice, diff=head + choice.diff) for choice in result.choices),
    )


# ---------------------------------------------------------------- entries


def _packed(result: FileResult, key: str, secret: bytes) -> bytes:
    import json  # only runs over many files

    plain = json.dumps(RESULT.pack(result), separators=(",", ":")).encode("ascii")
    if len(plain) > _LARGEST_UNPACKED:
        return b""
    body = zlib.compress(plain, 1)
    return _mark(body, key, secret) + body


def _unpacked(entry: bytes, key: str, secret: bytes) -> FileResult:
    import json

    mark, body = entry[:_MARK], entry[_MARK:]
    if len(entry) > _LARGEST or not compare_digest(mark, _mark(body, key, secret)):
        raise ValueError("damaged, or somebody else's")
    plain = zlib.decompressobj().decompress(body, _LARGEST_UNPACKED)
    result = RESULT.unpack(json.loads(plain))
    assert isinstance(result, FileResult)
    return result


def _mark(body: bytes, key: str, secret: bytes) -> bytes:
    """A mark that only this user can make: it shows that the entry is theirs, complete, and belongs to the key."""
    return blake2b(key.encode() + body, digest_size=_MARK, key=secret, person=b"caffefix entry").digest()


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


# ---------------------------------------------------------------- the folder


def _claim(folder: str, secret: bytes) -> None:
    """Create the folder if it does not exist; refuse one that this user's runs did not create.

    Raises:
        CacheError: it belongs to somebody else, or is not a cache folder.
        OSError: it cannot be created or read.
    """
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if os.path.islink(folder):
        raise CacheError(f"{folder} is a link: give the folder that it points to")
    if not _is_ours(folder, secret) and all(name.startswith(_NEW) or name == _TAG for name in os.listdir(folder)):
        _put_tag(folder, secret)
    # If another run was faster, it wrote its tag before anything else.
    if not _is_ours(folder, secret):
        raise CacheError(f"{folder} was not created by caffefix for you: choose another folder, or delete it")


def _is_ours(folder: str, secret: bytes) -> bool:
    return not os.path.islink(folder) and compare_digest(_tag(folder), _tag_text(folder, secret).encode())


def _put_tag(folder: str, secret: bytes) -> None:
    """Write the tag, and a .gitignore that keeps git away, unless they exist."""
    for name, text in ((_TAG, _tag_text(folder, secret)), (".gitignore", "*\n")):
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=_NEW)
        try:
            with open(handle, "w", encoding="ascii") as file:
                file.write(text)
            with contextlib.suppress(FileExistsError):
                os.link(temporary, os.path.join(folder, name))
        finally:
            os.unlink(temporary)


def _tag_text(folder: str, secret: bytes) -> str:
    """The content of a cache's tag: it identifies the cache, and its mark shows that this user's runs made it."""
    where = os.fsencode(os.path.realpath(folder))
    mark = blake2b(where, digest_size=_MARK, key=secret, person=b"caffefix folder").hexdigest()
    return f"{_TAG_TEXT}# {mark}\n"


def _tag(folder: str) -> bytes:
    """The content of the folder's tag; empty if it has no tag."""
    try:
        with open(os.path.join(folder, _TAG), "rb", opener=_no_link) as file:
            return file.read(1024)
    except OSError:
        return b""


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
        CacheError: it is not a cache folder.
    """
    _check_ours(folder)
    entries = size = stale = 0
    for version, entry in _entries(folder):
        entries += 1
        size += entry.stat().st_size
        stale += version != identity()
    return Usage(entries, size, stale)


def prune(folder: str, days: float) -> int:
    """Delete what other versions left, and what was not used for some days; return the number of entries.

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
        with contextlib.suppress(OSError):  # the folder is not empty
            os.rmdir(path)
    return gone


def clear(folder: str) -> None:
    """Delete a cache folder.

    Raises:
        CacheError: it is not a cache folder, or cannot be deleted.
    """
    _check_ours(folder)
    _delete(folder)


def clear_old(folder: str) -> str:
    """Delete the cache that earlier versions kept in the folder of the files; return its path.

    Raises:
        CacheError: there is no such cache, or it cannot be deleted.
    """
    old = os.path.join(folder, _OLD)
    if os.path.islink(old) or not _tag(old).startswith(_TAG_TEXT.encode()):
        raise CacheError(f"{old}: there is no caffefix cache here")
    _delete(old)
    return old


def _delete(folder: str) -> None:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise CacheError(f"{folder}: cannot be deleted: {error.strerror or error}") from None


def _check_ours(folder: str) -> None:
    try:
        ours = _is_ours(folder, secret())
    except SecretError as error:
        raise CacheError(str(error)) from None
    if not ours:
        raise CacheError(f"{folder}: there is no caffefix cache here that was created for you")


def _entries(folder: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    for version in os.scandir(folder):
        if version.is_dir(follow_symlinks=False):
            for shard in os.scandir(version.path):
                if shard.is_dir(follow_symlinks=False):
                    yield from ((version.name, entry) for entry in os.scandir(shard.path))
