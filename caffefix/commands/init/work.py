"""Looking through a folder: nothing is written, and nothing is guessed from names."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

from caffefix._startup.records import dataclass, field
from caffefix.caffe.net import Generation, nets
from caffefix.caffe.roles import LEARNS, NETS, Role
from caffefix.caffe.solver import solver_of
from caffefix.commands.init.results import Count, Occurrences, Survey
from caffefix.reports.statistics import Statistics
from caffefix.results import FileResult, Status
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.tree import Document
from caffefix.zoo.config import Configuration
from caffefix.zoo.config_file import OWN, SHARED, load
from caffefix.zoo.family import Families
from caffefix.zoo.files import FileError, read
from caffefix.zoo.run import run
from caffefix.zoo.run_options import RunOptions
from caffefix.zoo.work import Repairing

_WEIGHTS = (".caffemodel", ".caffemodel.h5")
_SNAPSHOT = re.compile(r"_iter_\d+\.caffemodel(\.h5)?$")  # what a solver writes, so no sign of fine-tuning
_OLD = re.compile(rb"\blayers\b")  # without this word, a net is of the newest format
_OLDEST_FIRST = (Generation.V0, Generation.V1, Generation.V2)


def survey(folder: str, configuration: Configuration) -> Survey:
    """What is in a folder, as a run there would find it.

    Raises:
        ConfigError: a configuration file in a folder below cannot be used.
    """
    found = _Found(folder, Families((), (folder,)))
    running = run((folder,), configuration, Repairing(forks=True), RunOptions(cached=True))
    results: Iterable[FileResult] = running
    if sys.stderr.isatty() and len(running) > 1:
        from caffefix.reports.progress import watched

        results = watched(running, len(running), sys.stderr)
    for result in results:
        found.add(result)
    return found.survey()


@dataclass(slots=True)
class _Found:
    """The counts so far."""

    folder: str
    families: Families
    statistics: Statistics = field(default_factory=lambda: Statistics(notes=False))
    roles: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    forks: Counter[str] = field(default_factory=Counter)
    nets: int = 0
    learning: int = 0
    loading: int = 0
    to_fix: int = 0
    unreadable: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    protos: dict[str, None] = field(default_factory=dict)
    troubles: dict[str, None] = field(default_factory=dict)
    folders: dict[str, None] = field(default_factory=dict)

    def add(self, result: FileResult) -> None:
        """Count one file."""
        self.statistics.add(result)
        self.to_fix += result.new is not None
        where = os.path.dirname(result.path)
        if where not in self.folders:
            self.folders[where] = None
            self._note_caffe(result.path)
        if result.status is Status.REFUSED:
            self.refused.append(self._shown(result.path))
        if result.status is Status.ERROR or result.role is None:
            self.unreadable.append(self._shown(result.path))
            return
        self.roles[result.role.value] += 1
        self.learning += result.role in LEARNS
        if result.forks is not None:
            self.nets += 1
            self.forks.update(result.forks)
        if result.role is Role.SOLVER or result.role in NETS:
            self._look_into(result.path, result.role)

    def _look_into(self, path: str, role: Role) -> None:
        """Count what results do not tell: the format of a net, the weights of a solver."""
        try:
            data = read(path)
            is_new = role is not Role.SOLVER and not _OLD.search(data)
            document = None if is_new else parse(data.decode("latin-1"))
        except (FileError, PrototxtError):
            return  # it has changed meanwhile
        if document is None:
            self.formats[Generation.V2.value] += 1
        elif role is Role.SOLVER:
            solver = solver_of(document)
            self.loading += solver is not None and solver.loads_weights
        else:
            self.formats[_format(document)] += 1

    def _note_caffe(self, path: str) -> None:
        found = self.families.own(path)
        if found.trouble:
            self.troubles[found.trouble] = None
        elif found.caffes is not None and found.caffes.given is not None:
            self.protos[found.caffes.given.name] = None

    def _shown(self, path: str) -> str:
        return os.path.relpath(path, self.folder).replace(os.sep, "/")

    def survey(self) -> Survey:
        """All of it."""
        return Survey(
            files=sum(self.roles.values()) + len(self.unreadable),
            roles=_counts(self.roles),
            formats=_counts(self.formats),
            forks=_counts(self.forks),
            nets=self.nets,
            protos=tuple(self.protos),
            troubles=tuple(self.troubles),
            learning=self.learning,
            pretrained=tuple(self._shown(path) for path in _pretrained(self.folders)),
            solvers=self.roles[Role.SOLVER.value],
            loading=self.loading,
            unreadable=tuple(self.unreadable),
            refused=tuple(self.refused),
            settings=tuple(self._shown(path) for path in _settings(self.folders, self.folder)),
            to_fix=self.to_fix,
            findings=tuple(
                Occurrences(name, row.fixed, row.left + row.unsafe, row.files)
                for name, row in self.statistics.rows()
                if row.total > row.suppressed
            ),
        )


def _counts(counter: Counter[str]) -> tuple[Count, ...]:
    return tuple(Count(name, number) for name, number in sorted(counter.items(), key=lambda i: (-i[1], i[0])))


def _format(document: Document) -> str:
    """The oldest format in a net; the newest for one without layers."""
    found = {generation for net in nets(document) for generation in net.generations}
    return next((one for one in _OLDEST_FIRST if one in found), Generation.V2).value


def _pretrained(folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        try:
            names = sorted(os.listdir(folder or os.curdir))
        except OSError:
            continue
        weights = (name for name in names if name.endswith(_WEIGHTS) and not _SNAPSHOT.search(name))
        yield from (os.path.join(folder, name) for name in weights)


def _settings(folders: Iterable[str], top: str) -> Iterator[str]:
    """Configuration files between the top and the files: they count for what is below them."""
    passed: set[str] = set()
    for folder in folders:
        above = os.path.abspath(folder)
        while above not in passed and above.startswith(os.path.join(os.path.abspath(top), "")):
            passed.add(above)
            above = os.path.dirname(above)
    for above in sorted(passed):
        for path in (os.path.join(above, name) for name in (OWN, SHARED)):
            if os.path.isfile(path) and load(path) is not None:
                yield path
                break
