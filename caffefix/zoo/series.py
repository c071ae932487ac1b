"""A zoo's repair as a series of patches: one a finding, or one a finding and folder.

Applied in order, they give what the direct run gives: in each file the fixers work in rounds, in the
order of (round, pass, name), and so does the series. Where a round before brought a finding to light
once more, a second patch is about it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from caffefix._startup.records import dataclass, field
from caffefix.engine.select import page
from caffefix.results import FileResult
from caffefix.zoo import mail
from caffefix.zoo.files import FileError
from caffefix.zoo.git import GitError, git, names_signer

# Characters of a folder's name in that of a patch.
_LONGEST = 80

# Round, pass and name of the fixer, and the folder if there is a patch for each.
Key: TypeAlias = "tuple[int, int, str, str]"


@dataclass(slots=True)
class _Patch:
    """What goes into one patch, on disk until it is whole.

    Attributes:
        spool: where its diffs are.
        files: how many there are.
        findings: how many they fix.
        plain: whether they survive a mail as they are.
    """

    spool: str
    files: int = 0
    findings: int = 0
    plain: bool = True


@dataclass(slots=True)
class Series:
    """Collects results, and writes the patches when all are there.

    Attributes:
        folder: for the patches; it must be empty, or not there.
        roots: the paths that were given.
        by_folder: whether each folder below the roots has patches of its own.
        author: ``Name <address>``.
        unsafe: whether unsafe fixes were asked for.
    """

    folder: str
    roots: tuple[str, ...] = ()
    by_folder: bool = False
    author: str = ""
    unsafe: bool = False
    _patches: dict[Key, _Patch] = field(default_factory=dict)
    _spool: str = ""

    def __enter__(self) -> Series:
        """Make the folder.

        Raises:
            FileError: it is not empty, or cannot be made.
        """
        try:
            os.makedirs(self.folder, exist_ok=True)
            if os.listdir(self.folder):
                raise FileError(f"{self.folder}: not empty; patches of two series must not be mixed")
            self._spool = tempfile.mkdtemp(prefix=".caffefix-", dir=self.folder)
        except OSError as error:
            raise _failed(self.folder, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._spool, ignore_errors=True)

    def add(self, result: FileResult) -> None:
        """Take a file's steps in.

        Raises:
            FileError: there is no room for them.
        """
        folder = top_folder(result.path, self.roots) if self.by_folder else ""
        for step in result.steps:
            if not step.diff:
                continue
            key = (step.round, step.runs_in, step.name, folder)
            patch = self._patches.get(key)
            if patch is None:
                patch = self._patches[key] = _Patch(os.path.join(self._spool, str(len(self._patches))))
            patch.files += 1
            patch.findings += step.findings
            patch.plain &= mail.is_plain((step.diff,))
            try:
                with open(patch.spool, "ab") as file:
                    file.write(step.diff)
            except OSError as error:
                raise _failed(patch.spool, error) from error

    def finish(self) -> list[str]:
        """Write the patches; their paths, in order.

        Raises:
            FileError: one cannot be written.
        """
        names: list[str] = []
        met: set[tuple[str, str]] = set()
        for number, key in enumerate(sorted(self._patches), 1):
            _, _, finding, folder = key
            again = (finding, folder) in met
            met.add((finding, folder))
            parts = (f"{number:04}", finding, "again" if again else "", _plain_name(folder))
            path = os.path.join(self.folder, "-".join(filter(None, parts)) + ".patch")
            try:
                self._write(path, self._patches[key], finding, folder, number=number, again=again)
            except BaseException as error:
                for made in (*names, path):  # half a series is none
                    with contextlib.suppress(OSError):
                        os.unlink(made)
                raise _failed(path, error) if isinstance(error, OSError) else error from None
            names.append(path)
        return names

    def _write(self, path: str, patch: _Patch, finding: str, folder: str, number: int, again: bool) -> None:
        subject, body = mail.message(
            finding, page(finding), patch.files, patch.findings, again=again, unsafe=self.unsafe
        )
        if folder not in ("", os.curdir):
            subject = f"{mail.spoken(folder)}: {subject}"
        with open(patch.spool, "rb") as diffs, open(path, "xb") as out:
            total = len(self._patches)
            out.write(mail.head(self.author, subject, number, total, body, plain=patch.plain))
            if patch.plain:
                shutil.copyfileobj(diffs, out)
            else:
                for line in diffs:
                    out.write(mail.encoded(line, plain=False))
            out.write(mail.tail(plain=patch.plain))


def top_folder(path: str, roots: Iterable[str]) -> str:
    """The first folder below the path that was given; ``.`` for what is directly in it."""
    absolute = os.path.abspath(path)
    for root in sorted(map(os.path.abspath, roots), key=len, reverse=True):
        relative = os.path.relpath(absolute, root)
        if relative.split(os.sep)[0] != os.pardir:
            return relative.split(os.sep)[0] if os.sep in relative else os.curdir
    return os.curdir


def author(folder: str) -> str:
    """Who git says makes commits here; the tool where it does not know."""
    try:
        identity = git(folder, "var", "GIT_AUTHOR_IDENT").decode("utf-8", "replace")
        return identity.rpartition("> ")[0] + ">"
    except GitError:
        return "caffefix <caffefix@localhost>"


def check_clean(top: str) -> None:
    """Refuse a working tree with changes that are not committed.

    Raises:
        GitError: there are some, something else is under way, or git cannot tell.
    """
    if git(top, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all").strip():
        raise GitError("there are changes that are not committed; commit or stash them first")
    git(top, "rev-parse", "--verify", "--quiet", "HEAD")
    for name in ("rebase-apply", "rebase-merge"):  # the am of commits would meet it, and end it
        state = os.fsdecode(git(top, "rev-parse", "--git-path", name).removesuffix(b"\n"))
        if os.path.exists(os.path.join(top, state)):
            raise GitError("a rebase or am is under way here; end it first")


def tracked(top: str) -> frozenset[str]:
    """The real paths of the files that git knows."""
    here = os.path.realpath(top)
    names = git(top, "ls-files", "-z").split(b"\0")
    return frozenset(os.path.join(here, os.fsdecode(name)) for name in names if name)


def commit(top: str, patches: list[str]) -> None:
    """Make a commit of each patch.

    Raises:
        GitError: git refuses one; then none is made.
    """
    if not patches:
        return
    before = git(top, "rev-parse", "HEAD").decode().strip()
    try:
        unsigned = ["--no-gpg-sign"] * names_signer(top)
        git(
            top,
            "am",
            "--quiet",
            "--no-3way",
            "--whitespace=nowarn",
            *unsigned,
            *(str(Path(patch).resolve()) for patch in patches),
        )
    except BaseException:
        # am --abort goes back to where it began; where it cannot, --quit at least leaves no half am behind.
        if not _quietly(top, "am", "--abort"):
            _quietly(top, "am", "--quit")
        if git(top, "rev-parse", "HEAD").decode().strip() != before:
            raise GitError(f"some commits were made; git reset --keep {before} takes them back") from None
        raise


def _quietly(top: str, *args: str) -> bool:
    """Whether git did it."""
    try:
        git(top, *args)
    except GitError:
        return False
    return True


def _plain_name(folder: str) -> str:
    """A folder as a part of a file's name."""
    return "" if folder in ("", ".") else re.sub(r"[^\w.+-]+", "_", folder, flags=re.ASCII)[:_LONGEST]


def _failed(path: str, error: OSError) -> FileError:
    return FileError(f"{path}: cannot be written: {error.strerror or error}")
