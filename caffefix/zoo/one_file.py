"""One file of a run: reading and processing it. Writing it is separate (``writing.py``)."""

from __future__ import annotations

import os

from caffefix._startup.records import dataclass, field, replace
from caffefix.results import FileResult, Status
from caffefix.syntax.source import Source, visible
from caffefix.zoo.config import Configuration, EffectiveConfig
from caffefix.zoo.family import Families
from caffefix.zoo.files import FileError, digest_of, read
from caffefix.zoo.own_caffe import Found, OwnCaffeError
from caffefix.zoo.run_options import RunOptions
from caffefix.zoo.work import Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.zoo.cache import Cache


# Bytes of a file that show what it is.
_START = 512


@dataclass(slots=True)
class OneFile:
    """What is done to each file of a run."""

    configuration: Configuration
    work: Work
    run_options: RunOptions
    within: frozenset[str] | None = None  # the real paths of the given paths; None for anywhere
    cache: Cache | None = None
    _families: Families = field(default_factory=Families)
    _folders: dict[str, str] = field(default_factory=dict)  # their real paths

    def begin(self) -> None:
        """Forget what was read of folders."""
        self._families = Families(self.run_options.roots, self.within or ())
        self._folders = {}

    def __call__(self, path: str) -> FileResult:
        """Read and process a file; every failure becomes the file's result."""
        real, base = self._real(path), self._real_folder(self.run_options.base or os.curdir)
        try:
            self._check_place(path, real, base)
            data = read(path)
        except FileError as error:
            reason = _mistaken(path, b"") if error.is_too_large else ""
            return FileResult(path, Status.ERROR, reason or str(error))
        shown = _relative(real, base)
        result = run_data(
            self.configuration.of(path), data, self.work, self._families, cache=self.cache, shown=shown
        )
        if result.status is Status.ERROR and result.line:  # it cannot be parsed
            return replace(result, reason=_mistaken(path, data[:_START]) or result.reason)
        if result.new is None:
            return result
        if self.run_options.known is not None and real not in self.run_options.known:
            return FileResult(path, Status.ERROR, f"{path}: not changed: git does not track it; git add it first")
        return replace(result, digest=digest_of(data))

    def check(self, path: str) -> None:
        """Refuse a file that has meanwhile become a link to outside the given paths.

        Raises:
            FileError: it has.
        """
        self._check_place(path, os.path.realpath(path), os.path.realpath(self.run_options.base or os.curdir))

    def _real(self, path: str) -> str:
        """The path without links."""
        folder, name = os.path.split(path)
        if os.path.islink(path) or name in ("", os.curdir, os.pardir):
            return os.path.realpath(path)
        return os.path.join(self._real_folder(folder or os.curdir), name)

    def _real_folder(self, folder: str) -> str:
        found = self._folders.get(folder)
        if found is None:
            found = self._folders[folder] = os.path.realpath(folder)
        return found

    def _check_place(self, path: str, real: str, base: str) -> None:
        """Refuse a link to outside the given paths, and a file that patches cannot name."""
        if self.run_options.base and os.path.commonpath((real, base)) != base:
            raise FileError(f"{path}: not changed: it is outside {self.run_options.base}, the patches' folder")
        above = real
        while self.within is not None and above not in self.within:
            parent = os.path.dirname(above)
            if parent == above:
                raise FileError(
                    f"{path}: not checked: it is a link to {real}, outside the given paths; "
                    "give that path, or --follow-links"
                )
            above = parent

    def lost(self, path: str, reason: str) -> FileResult:
        """The result for a file whose process died."""
        return FileResult(
            path, Status.ERROR, f"{path}: the process working on this file {reason}; the file is unchanged"
        )


def _mistaken(path: str, start: bytes) -> str:
    """Why a file of another kind is not checked; empty if it may be meant as prototxt."""
    from caffefix.zoo.mistaken import mistaken

    words = mistaken(path, start)
    return f"{visible(path)}: not checked: this is {words}" if words else ""


def run_data(
    in_force: EffectiveConfig,
    data: bytes,
    work: Work,
    families: Families | None = None,
    cache: Cache | None = None,
    shown: str = "",
) -> FileResult:
    """The result for the content of a file, or for content that is in no file.

    Args:
        in_force: its name, and the settings in force; if the name is a path, the other files in the same
            folder are its family.
        data: the content.
        work: what is done to it.
        families: a cache of families.
        cache: the cache of results.
        shown: its name in the diff; by default relative to the working folder.
    """
    name = in_force.path
    try:
        shown = shown or diff_name(name)
        families = families or Families()
        own = families.own(name, in_force.settings.proto) if not in_force.settings.dialect else Found()
        family = replace(families.of(name, data), caffes=own.caffes)
        if not in_force.request().selection.needs_family():
            family = family.outline
        asked = work.asked(in_force) if cache is not None else ""
        if cache is None or not asked:
            return _told(work(Source(name, data), in_force, shown, family), own)
        from caffefix.zoo.cache import key_of

        key = key_of(data, family, asked)
        found = cache.get(key, name, shown)
        if found is None:
            found = work(Source(name, data), in_force, shown, family)
            cache.put(key, found)
        return _told(found, own)
    except OwnCaffeError as error:
        return FileResult(name, Status.ERROR, str(error))
    except MemoryError:
        return FileResult(name, Status.ERROR, f"{name}: not enough memory for this file")
    except Exception as error:  # a bug of ours must not keep the other files from being processed
        reason = f"{name}: internal error, please report it: {type(error).__name__}: {error}"
        return FileResult(name, Status.ERROR, reason)


def _told(result: FileResult, own: Found) -> FileResult:
    """A result that also says why the repository's .proto file cannot be used."""
    return replace(result, trouble=own.trouble) if own.trouble else result


def diff_name(path: str) -> str:
    """The name in a diff: relative to the working folder, so ``git apply`` accepts it there."""
    return _relative(os.path.realpath(path), os.path.realpath(os.curdir))


def _relative(real: str, base: str) -> str:
    """A real path as a diff names it; git and patch refuse to write through links."""
    try:
        relative = os.path.relpath(real, base)
    except ValueError:  # another drive
        relative = real
    if relative.split(os.sep)[0] == os.pardir:
        relative = real.lstrip("/")
    return relative.replace(os.sep, "/")
