"""The settings in force for a file: defaults, the nearest configuration file, the command line.

The configuration file is searched for from the folder of the prototxt file upwards; in a folder ``caffefix.toml``
comes before ``pyproject.toml``, and a ``pyproject.toml`` without our table is skipped. Only the
nearest counts: files further up are not merged into it. The command line overrides it, key by key.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase

from caffefix._startup.records import dataclass, field, fields
from caffefix.engine.repair import Request
from caffefix.engine.select import Selection
from caffefix.findings import CAFFE, Assumptions
from caffefix.zoo.config_file import OWN, SHARED, ConfigError, ConfigFile, load

DEFAULT = "default"
COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class CliOverrides:
    """What the command line sets; None for what it does not set."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    unsafe: bool | None = None
    dialect: str | None = None
    proto: str | None = None
    target: str | None = None
    from_scratch: bool | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings in force.

    Attributes:
        select: names and globs of findings that are checked for; empty for all.
        ignore: names and globs that are left out.
        per_file_ignores: (pattern of files, names and globs that are left out there).
        exclude: patterns of files and folders that are skipped when folders are searched.
        include: patterns of files that are included, besides the usual names, when folders are searched.
        unsafe: whether unsafe fixes are applied.
        dialect: the fork of Caffe that files are for; empty to recognise it from each file.
        proto: the caffe.proto of the Caffe that files are for; empty for the one in their repository.
        target: ``caffe`` or ``caffe-old``.
        from_scratch: whether nets are trained from their fillers.
        baseline: the file with findings that a check does not report; empty for none.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    unsafe: bool = False
    dialect: str = ""
    proto: str = ""
    target: str = CAFFE
    from_scratch: bool = True
    baseline: str = ""


@dataclass(frozen=True, slots=True)
class EffectiveConfig:
    """The settings in force for one path, and where they come from.

    Attributes:
        path: the file or folder.
        settings: the values.
        origins: for each field of the settings: ``default``, ``command line``, or a file's name.
        file: the configuration file; empty for none.
        root: the folder that its patterns are relative to.
    """

    path: str
    settings: Settings
    origins: dict[str, str]
    file: str = ""
    root: str = ""

    @property
    def ignored_here(self) -> tuple[str, ...]:
        """What ``per-file-ignores`` leaves out for this path."""
        rows = self.settings.per_file_ignores
        return tuple(n for pattern, names in rows if self._fits(pattern) for n in names)

    @property
    def excluded_by(self) -> str:
        """The first pattern of ``exclude`` that excludes this path; empty for none."""
        return next((pattern for pattern in self.settings.exclude if self._fits(pattern, self._exclude_root)), "")

    def request(self) -> Request:
        """The request for repairing the path."""
        s = self.settings
        named = self.origins["select"] == COMMAND_LINE
        selection = Selection(s.select, (*s.ignore, *self.ignored_here), s.unsafe, by_name=named)
        return Request(selection, Assumptions(from_scratch=s.from_scratch, dialect=s.dialect, target=s.target))

    def excludes_itself(self) -> bool:
        """Whether a pattern of ``exclude`` matches the path itself, not only a folder that it is in."""
        patterns = self.settings.exclude
        return bool(patterns) and _means(patterns, self._relative(self._exclude_root))

    def includes_itself(self) -> bool:
        """Whether a pattern of ``include`` matches the path."""
        patterns = self.settings.include
        return bool(patterns) and _means(patterns, self._relative(self.root))

    @property
    def _exclude_root(self) -> str:
        """What patterns of ``exclude`` are relative to; for those from the command line, the working folder."""
        return os.path.abspath(os.curdir) if self.origins["exclude"] == COMMAND_LINE else self.root

    def _fits(self, pattern: str, root: str = "") -> bool:
        """Whether a pattern matches the path or a folder that it is in."""
        parts = self._relative(root or self.root).split("/")
        return any(_matches(pattern, "/".join(parts[: n + 1])) for n in range(len(parts)))

    def _relative(self, root: str) -> str:
        """The path relative to the patterns' root, with ``/``."""
        absolute = os.path.abspath(self.path)
        try:
            return os.path.relpath(absolute, root).replace(os.sep, "/")
        except ValueError:  # another drive
            return absolute.replace(os.sep, "/")


def _means(patterns: tuple[str, ...], path: str) -> bool:
    return any(_matches(pattern, path) for pattern in patterns)


def _matches(pattern: str, path: str) -> bool:
    """Whether a pattern matches a path: a pattern without ``/`` its last name, any other the whole path."""
    pattern = pattern.removeprefix("./").rstrip("/")
    if "/" not in pattern:
        return fnmatchcase(path.rpartition("/")[2], pattern)
    return fnmatchcase(path, pattern) or fnmatchcase(path, pattern.removeprefix("**/"))


@dataclass(slots=True)
class Configuration:
    """Determines the settings in force for each path; reads each configuration file once.

    Attributes:
        given: what the command line sets.
        file: the file to use for all paths instead of the nearest; patterns in it are relative to the
            working folder.
        isolated: whether no configuration file is read.
    """

    given: CliOverrides = field(default_factory=CliOverrides)
    file: str = ""
    isolated: bool = False
    _nearest: dict[str, ConfigFile | None] = field(default_factory=dict)

    def of(self, path: str) -> EffectiveConfig:
        """The settings in force for a file, or for the files in a folder.

        Raises:
            ConfigError: a configuration file cannot be used.
        """
        absolute = os.path.abspath(path)
        return self._in_force(path, absolute if os.path.isdir(absolute) else os.path.dirname(absolute))

    def excludes(self, path: str) -> bool:
        """Whether a file or folder is skipped when its parent is searched, by the parent's configuration."""
        return self._in_force(path, os.path.dirname(os.path.abspath(path))).excludes_itself()

    def includes(self, path: str) -> bool:
        """Whether a file with an unusual name is included when its folder is searched."""
        return self._in_force(path, os.path.dirname(os.path.abspath(path))).includes_itself()

    def _in_force(self, path: str, folder: str) -> EffectiveConfig:
        config = self._config(folder)
        values = {name.replace("-", "_"): value for name, value in config.values.items()} if config else {}
        origins = {f.name: DEFAULT for f in fields(Settings)}
        origins.update(dict.fromkeys(values, config.path if config else ""))
        for f in fields(CliOverrides):
            value = getattr(self.given, f.name)
            if value is not None:
                values[f.name], origins[f.name] = value, COMMAND_LINE
        for name, other in (("proto", "dialect"), ("dialect", "proto")):
            if getattr(self.given, name) is not None:  # each of them replaces the other
                values[other], origins[other] = "", COMMAND_LINE
        where = (config.path, config.root) if config else ("", os.path.abspath(os.curdir))
        return EffectiveConfig(path, Settings(**values), origins, *where)

    def _config(self, folder: str) -> ConfigFile | None:
        if self.isolated:
            return None
        if self.file:
            if self.file not in self._nearest:
                found = load(self.file, os.path.abspath(os.curdir))
                if found is None:
                    raise ConfigError(f"{self.file}: it has no table [tool.caffefix]")
                self._nearest[self.file] = found
            return self._nearest[self.file]
        return self._search(folder)

    def _search(self, folder: str) -> ConfigFile | None:
        """The nearest configuration file above a folder; the result is cached for all folders on the way."""
        passed = []
        found: ConfigFile | None = None
        for above in _upwards(folder):
            if above in self._nearest:
                found = self._nearest[above]
                break
            passed.append(above)
            found = _in_folder(above)
            if found is not None:
                break
        self._nearest.update(dict.fromkeys(passed, found))
        return found


def _upwards(folder: str) -> Iterator[str]:
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def _in_folder(folder: str) -> ConfigFile | None:
    for name in (OWN, SHARED):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            found = load(_shown(path))
            if found is not None:
                return found
    return None


def _shown(path: str) -> str:
    """A path as people would write it: relative to the working folder, if it is below that."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return path
    return path if relative.startswith(os.pardir) else relative
