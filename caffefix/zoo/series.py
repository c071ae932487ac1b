"""A zoo's repair as a series of patches: one per finding, or one per finding and folder.

Applied in order, they give the same result as the direct run: in each file the fixers work in rounds, in the
order of (round, pass, name), and so does the series. Where an earlier round revealed a finding
again, a second patch fixes it.
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

# The maximum number of characters of a folder's name in a patch's name.
_LONGEST = 80

# Round, pass and name of the fixer, and the folder if each has its own patch.
Key: TypeAlias = "tuple[int, int, str, str]"


@dataclass(slots=True)
class _Patch:
    """The content of one patch, kept on disk until it is complete.

    Attributes:
        spool: the file with its diffs.
        files: how many diffs there are.
        findings: how many findings they fix.
        plain: whether they survive a mail unencoded.
    """

    spool: str
    files: int = 0
    findings: int = 0
    plain: bool = True


@dataclass(slots=True)
class Series:
    """Collects results, and writes the patches once it has all of them.

    Attributes:
        folder: for the patches; it must be empty, or not exist.
        roots: the given paths.
        by_folder: whether each folder below the roots has its own patches.
        author: ``Name <address>``.
        unsafe: whether unsafe fixes were requested.
    """

    folder: str
    roots: tuple[str, ...] = ()
    by_folder: bool = False
    author: str = ""
    unsafe: bool = False
    _patches: dict[Key, _Patch] = field(default_factory=dict)
    _spool: str = ""

    def __enter__(self) -> Series:
        """Create the folder.

        Raises:
            FileError: it is not empty, or cannot be created.
        """
        try:
            os.makedirs(self.folder, exist_ok=True)
            if os.listdir(self.folder):
                raise FileError(f"{self.folder}: not empty; the patches of two series must not be mixed")
            self._spool = tempfile.mkdtemp(prefix=".caffefix-", dir=self.folder)
        except OSError as error:
            raise _failed(self.folder, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._spool, ignore_errors=True)

    def add(self, result: FileResult) -> None:
        """Add a file's steps.

        Raises:
            FileError: they cannot be written.
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
        """Write the patches; return their paths, in order.

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
                for made in (*names, path):  # an incomplete series is useless
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
    """The first folder below the given path; ``.`` for what is directly in it."""
    absolute = os.path.abspath(path)
    for root in sorted(map(os.path.abspath, roots), key=len, reverse=True):
        relative = os.path.relpath(absolute, root)
        if relative.split(os.sep)[0] != os.pardir:
            return relative.split(os.sep)[0] if os.sep in relative else os.curdir
    return os.curdir


def author(folder: str) -> str:
    """The author of commits here according to git; the tool's own name if git does not know."""
    try:
        identity = git(folder, "var", "GIT_AUTHOR_IDENT").decode("utf-8", "replace")
        return identity.rpartition("> ")[0] + ">"
    except GitError:
        return "caffefix <caffefix@localhost>"


def check_clean(top: str) -> None:
    """Refuse a working tree with changes that are not committed.

    Raises:
        GitError: there are such changes, a rebase or am is in progress, or git does not know.
    """
    if git(top, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all").strip():
        raise GitError("there are changes that are not committed; commit or stash them first")
    git(top, "rev-parse", "--verify", "--quiet", "HEAD")
    for name in ("rebase-apply", "rebase-merge"):  # our git am would run into it, and abort it
        state = os.fsdecode(git(top, "rev-parse", "--git-path", name).removesuffix(b"\n"))
        if os.path.exists(os.path.join(top, state)):
            raise GitError("a rebase or am is in progress here; finish it first")


def tracked(top: str) -> frozenset[str]:
    """The real paths of the files that git knows."""
    here = os.path.realpath(top)
    names = git(top, "ls-files", "-z").split(b"\0")
    return frozenset(os.path.join(here, os.fsdecode(name)) for name in names if name)


def commit(top: str, patches: list[str]) -> None:
    """Make a commit from each patch.

    Raises:
        GitError: git refuses one; then no commit is made.
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
        # am --abort restores the start; where it cannot, --quit at least leaves no unfinished am behind.
        if not _quietly(top, "am", "--abort"):
            _quietly(top, "am", "--quit")
        if git(top, "rev-parse", "HEAD").decode().strip() != before:
            raise GitError(f"some commits were made; git reset --keep {before} undoes them") from None
        raise


def _quietly(top: str, *args: str) -> bool:
    """Whether git did it."""
    try:
        git(top, *args)
    except GitError:
        return False
    return True


def _plain_name(folder: str) -> str:
    """A folder's name as part of a file's name."""
    return "" if folder in ("", ".") else re.sub(r"[^\w.+-]+", "_", folder, flags=re.ASCII)[:_LONGEST]


def _failed(path: str, error: OSError) -> FileError:
    return FileError(f"{path}: cannot be written: {error.strerror or error}")
