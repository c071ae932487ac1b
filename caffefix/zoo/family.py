"""Finding the files that belong to a file: its siblings, and the nets that a solver names.

Only the file's own folder is read, and only if it is small enough to determine what belongs together;
in other folders, only the existence of files is checked. Links are not followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence

from caffefix.caffe.family import Family, Member
from caffefix.zoo.discover import SUFFIXES
from caffefix.zoo.files import FileError, read
from caffefix.zoo.own_caffe import Found, OwnCaffes

# A folder with more files is a collection of models: which files belong together is unknown.
MOST = 16
_LARGEST = 1 << 21  # bytes
# Number of folders above the solver's that its paths may be relative to, such as the root of its repository.
_UP = 8


class Families:
    """Finds families; the content of the last folder is cached.

    Args:
        roots: folders that solvers' paths may be relative to, besides the usual ones.
        given: folders in which the files are: outside of these and of a repository, nothing belongs to a file.
    """

    def __init__(self, roots: Sequence[str] = (), given: Iterable[str] = ()) -> None:
        self._roots = tuple(roots)
        self._own = OwnCaffes(roots, given)
        self._folder = ""
        self._members: tuple[Member, ...] = ()
        # The files that the folder's solvers name, and whether they are trained, by the solver's name.
        self._meant: dict[str, dict[str, bool]] = {}

    def of(self, path: str, data: bytes) -> Family:
        """The family of a file, whose content is given: the file need not exist."""
        folder, name = os.path.split(os.path.abspath(path))
        if not os.path.isdir(folder) or not os.path.basename(path).endswith(SUFFIXES):
            return Family()
        siblings = tuple(member for member in self._beside(folder) if member.name != name)
        real = os.path.realpath(os.path.join(folder, name))
        solvers = tuple(member for member in siblings if real in self._named(folder, member))
        naming = [self._named(folder, member) for member in siblings]
        beside = os.path.realpath(folder)
        uses = {member.name: _use(os.path.join(beside, member.name), naming) for member in siblings}
        return Family(
            siblings=siblings,
            solvers=solvers,
            lost=self._lost(folder, Member(name, data.decode("latin-1"))),
            trained=frozenset(name for name, use in uses.items() if use is True),
            tested=frozenset(name for name, use in uses.items() if use is False),
            is_tested=_use(real, naming) is False,
            name=name if siblings else "",
        )

    def own(self, path: str, proto: str = "") -> Found:
        """The Caffe in a file's repository.

        Args:
            path: the file.
            proto: the caffe.proto that the user names; empty to search for it.

        Raises:
            OwnCaffeError: the named caffe.proto cannot be used.
        """
        return self._own.of(os.path.dirname(os.path.abspath(path)), proto)

    def trained_by(self, path: str, solver: Member) -> frozenset[str]:
        """The files that a solver trains, as real paths, as far as they exist.

        Args:
            path: the solver's file.
            solver: its content.
        """
        folder = os.path.dirname(os.path.abspath(path))
        places = (place for value in solver.nets_trained for place in self._places(folder, value))
        return frozenset(os.path.realpath(place) for place in places if os.path.isfile(place))

    def _beside(self, folder: str) -> tuple[Member, ...]:
        if folder != self._folder:
            self._folder, self._members, self._meant = folder, tuple(_members(folder)), {}
        return self._members

    def _named(self, folder: str, solver: Member) -> dict[str, bool]:
        """The files that the nets named by a solver may refer to, and whether it trains them."""
        found = self._meant.get(solver.name)
        if found is None:
            found = self._meant[solver.name] = {}
            for value in solver.nets_named:
                for real in map(os.path.realpath, self._places(folder, value)):
                    found[real] = found.get(real, False) or value in solver.nets_trained
        return found

    def _lost(self, folder: str, solver: Member) -> frozenset[str]:
        """The nets of a solver that do not exist in any of the places."""
        return frozenset(
            value for value in solver.nets_named if not any(map(os.path.exists, self._places(folder, value)))
        )

    def _places(self, folder: str, value: str) -> Iterator[str]:
        """Where a path in a solver may lead, the most likely first."""
        if not value or "\0" in value:
            return
        name = os.fsdecode(value.encode("latin-1"))
        yield os.path.join(folder, name)
        yield os.path.abspath(name)
        for root in self._roots:
            yield os.path.join(root, name)
        for _ in range(_UP):
            folder = os.path.dirname(folder)
            yield os.path.join(folder, name)


def _use(path: str, naming: Sequence[Mapping[str, bool]]) -> bool | None:
    """Whether solvers train a file, or only test with it; None if no solver names it."""
    uses = [named[path] for named in naming if path in named]
    return any(uses) if uses else None


def _members(folder: str) -> Iterator[Member]:
    """The prototxt files of a folder; none if there are too many to determine which belong together."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(SUFFIXES))
    except OSError:
        return
    if len(names) > MOST:
        return
    for name in names:
        path = os.path.join(folder, name)
        try:
            status = os.lstat(path)
            readable = stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST
            data = read(path, _LARGEST) if readable else None
        except (OSError, FileError):  # it is reported when it is processed itself
            continue
        if data is not None:
            yield Member(name, data.decode("latin-1"))
