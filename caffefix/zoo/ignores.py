"""``.gitignore`` and ``.caffefixignore``: what is skipped when folders are searched.

Both use git's syntax; in the same folder, ``.caffefixignore`` has precedence. Files further down
override those above, up to the root of the git repository; outside a repository, only those from the searched
folder down count. Git's user-wide file and ``.git/info/exclude`` are not read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from caffefix._startup.records import dataclass, field
from caffefix.zoo.files import LIST, FileError, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.zoo.gitignore import Rules

GIT = ".gitignore"
OURS = ".caffefixignore"


@dataclass(slots=True)
class Ignores:
    """Determines what is skipped below one folder.

    Attributes:
        top: the folder, absolute.
        gitignore: whether ``.gitignore`` counts.

    Raises:
        FileError: a file of rules is too large to be one.
    """

    top: str
    gitignore: bool = True
    _rules: dict[str, tuple[tuple[str, Rules], ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rules[self.top] = (*self._above(), *self._of(self.top))

    def ignored(self, folder: str, name: str, is_folder: bool) -> bool:
        """Whether an entry of a folder is skipped; the folder is the top or below it, absolute."""
        return _verdict(self._in_force(folder), os.path.join(folder, name), is_folder)

    def _in_force(self, folder: str) -> tuple[tuple[str, Rules], ...]:
        found = self._rules.get(folder)
        if found is None:  # its parent was checked before
            found = (*self._rules.get(os.path.dirname(folder), self._rules[self.top]), *self._of(folder))
            self._rules[folder] = found
        return found

    def _above(self) -> tuple[tuple[str, Rules], ...]:
        """The rules of the folders above, the outermost first.

        Empty outside a repository, and for a folder that these rules skip: if given, it is searched anyway.
        """
        folders = [self.top]
        while not os.path.exists(os.path.join(folders[-1], ".git")):
            parent = os.path.dirname(folders[-1])
            if parent == folders[-1]:
                return ()  # not in a repository
            folders.append(parent)
        found: tuple[tuple[str, Rules], ...] = ()
        while len(folders) > 1:
            found = (*found, *self._of(folders.pop()))
            if _verdict(found, folders[-1], True):
                return ()
        return found

    def _of(self, folder: str) -> Iterator[tuple[str, Rules]]:
        for name in (GIT, OURS) if self.gitignore else (OURS,):
            path = os.path.join(folder, name)
            if not os.path.isfile(path):
                continue
            try:
                data = read(path, LIST)
            except FileError as error:
                if error.is_too_large:
                    raise
                continue  # as git does
            from caffefix.zoo.gitignore import rules  # few searches find such a file

            yield folder, rules(data)


def _verdict(rules: tuple[tuple[str, Rules], ...], path: str, is_folder: bool) -> bool:
    """The verdict of the last rule that matches."""
    for base, those in reversed(rules):
        relative = os.path.relpath(path, base).replace(os.sep, "/")
        said = those.verdict(os.fsencode(relative).decode("latin-1").split("/"), is_folder)
        if said is not None:
            return said
    return False
