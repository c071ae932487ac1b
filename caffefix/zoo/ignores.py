"""``.gitignore`` and ``.caffefixignore``: what is passed over where folders are searched.

Both have git's syntax; of the same folder, ``.caffefixignore`` has the last word. Files further down
win over those above, up to the root of the git repository; outside of one, those from the searched
folder down count. Git's user-wide file and ``.git/info/exclude`` are not read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from caffefix.records import dataclass, field
from caffefix.resources import content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

GIT = ".gitignore"
OURS = ".caffefixignore"


@dataclass(slots=True)
class Ignores:
    """Says what is passed over below one folder.

    Attributes:
        top: the folder, absolute.
        gitignore: whether ``.gitignore`` counts.
    """

    top: str
    gitignore: bool = True
    _rules: dict[str, tuple[tuple[str, GitIgnoreSpec], ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        above = tuple(self._above())
        if _verdict(above, self.top, True):
            above = ()  # a folder that is named is searched, though a file above passes it over
        self._rules[self.top] = (*above, *self._of(self.top))

    def ignored(self, folder: str, name: str, is_folder: bool) -> bool:
        """Whether an entry of a folder is passed over; the folder is the top or below it, absolute."""
        return _verdict(self._in_force(folder), os.path.join(folder, name), is_folder)

    def _in_force(self, folder: str) -> tuple[tuple[str, GitIgnoreSpec], ...]:
        found = self._rules.get(folder)
        if found is None:  # its parent was asked about before
            found = (*self._rules.get(os.path.dirname(folder), self._rules[self.top]), *self._of(folder))
            self._rules[folder] = found
        return found

    def _above(self) -> Iterator[tuple[str, GitIgnoreSpec]]:
        """The rules of the folders above, the outermost first."""
        folders = []
        folder = self.top
        while not os.path.exists(os.path.join(folder, ".git")):
            parent = os.path.dirname(folder)
            if parent == folder:
                return  # not in a repository
            folder = parent
            folders.append(folder)
        for folder in reversed(folders):
            yield from self._of(folder)

    def _of(self, folder: str) -> Iterator[tuple[str, GitIgnoreSpec]]:
        for name in (GIT, OURS) if self.gitignore else (OURS,):
            try:
                data = content(os.path.join(folder, name))
            except OSError:
                continue
            yield folder, _parsed(os.fsdecode(data))


def _verdict(rules: tuple[tuple[str, GitIgnoreSpec], ...], path: str, is_folder: bool) -> bool:
    """What the last rule says that says anything."""
    for base, spec in reversed(rules):
        relative = os.path.relpath(path, base).replace(os.sep, "/")
        said = spec.check_file(relative + "/" if is_folder else relative).include
        if said is not None:
            return bool(said)
    return False


def _parsed(text: str) -> GitIgnoreSpec:
    """The rules of a file; a line that is no pattern is passed over, as git does."""
    from pathspec import GitIgnoreSpec  # few searches meet such a file

    lines = text.split("\n")
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:
        return GitIgnoreSpec.from_lines(line for line in lines if _is_pattern(line))


def _is_pattern(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
