"""What git knows of files. Git is asked as a program."""

from __future__ import annotations

import os
from collections.abc import Iterable


class GitError(Exception):
    """Git cannot tell or cannot do it; the message says why."""


def git(folder: str, *args: str, stdin: bytes | None = None) -> bytes:
    """What a git command prints.

    Raises:
        GitError: git is not there, or refuses.
    """
    import subprocess  # GitError is asked for by those who never ask git

    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            ["git", "-C", folder or ".", *args], input=stdin, capture_output=True, env=environment, check=False
        )
    except OSError as error:
        raise GitError(f"git cannot be started: {error.strerror or error}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        raise GitError(f"git {args[0]}: {said or f'status {done.returncode}'}")
    return done.stdout


def top_level(folder: str) -> str:
    """The root of the working tree that a folder is in.

    Raises:
        GitError: it is in none.
    """
    return os.fsdecode(git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n"))


def changed_since(revision: str, folders: Iterable[str]) -> frozenset[str]:
    """The real paths of files below folders that differ from where a revision and HEAD parted.

    That is what a pull request against the revision changes, with what is not committed yet and
    with new files that git does not ignore.

    Raises:
        GitError: a folder is in no repository, or there is no such revision.
    """
    if not revision or revision.startswith("-"):
        raise GitError(f"{revision!r} is no revision")
    found: set[str] = set()
    for folder in folders:
        commit = git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", "--").split()
        base = _merge_base(folder, commit[0].decode())
        names = git(folder, "diff", "--name-only", "-z", "--relative", "--diff-filter=d", base, "--", ".")
        names += git(folder, "ls-files", "--others", "--exclude-standard", "-z")
        here = os.path.realpath(folder)
        found.update(os.path.join(here, os.fsdecode(name)) for name in names.split(b"\0") if name)
    return frozenset(found)


def _merge_base(folder: str, commit: str) -> str:
    try:
        return git(folder, "merge-base", commit, "HEAD").decode().split()[0]
    except GitError:
        return commit  # no common history, or nothing committed yet
