"""What git knows about files. Git is run as a program.

A repository's own settings may name programs (fsmonitor, hooks, filters, drivers for diffs and merges),
and a repository may come from anybody: none of these programs is run. The user's and the system's settings apply.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from caffefix._startup.patterns import pattern

# For every command: no program that the repository names, no repository inside it, nothing from the network.
_SETTINGS = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "safe.bareRepository=explicit",
    "gc.auto=0",
    "maintenance.auto=false",
    "core.checkStat=default",
    "core.ignoreStat=false",
)
# Seconds to wait for git, which may be reading a pipe that nobody writes into.
_PATIENCE = 30
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
}
# Settings that may name an endless file or a pipe; the user's own values apply.
_PATHS = frozenset(["core.attributesfile", "core.excludesfile"])
_OURS = frozenset(["system", "global", "command"])  # scopes of settings that a repository cannot set
_FILTER = pattern(r"filter\..*\.(clean|smudge|process|required)", re.DOTALL)
# Programs that cannot be overridden by another setting.
_SIGNING = pattern(r"gpg\.(.*\.)?(program|defaultkeycommand)", re.DOTALL)
_REFUSED = pattern(r"hook\..*\.command", re.DOTALL)


class GitError(Exception):
    """Git does not know or cannot do something; the message says why."""


class NoGitError(GitError):
    """Git is not installed, or there is no working tree."""


def git(folder: str, *args: str, stdin: bytes | None = None) -> bytes:
    """The output of a git command.

    Raises:
        GitError: git is not installed or fails, or the repository's settings would make it run a program.
    """
    settings = [*_SETTINGS, *(f"{key}={'false' * key.endswith('required')}" for key in _filters(folder))]
    settings += [f"{key}={os.devnull}" for key in repository_settings(folder) if key in _PATHS]
    return _git(folder, *(word for setting in settings for word in ("-c", setting)), *args, stdin=stdin)


def _git(folder: str, *args: str, stdin: bytes | None = None) -> bytes:
    import subprocess  # modules that only need GitError do not run git

    environment = {**os.environ, **_ENVIRONMENT}
    try:
        done = subprocess.run(
            ["git", "-C", folder or ".", *args],
            input=stdin,
            capture_output=True,
            env=environment,
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise GitError(f"git {_command(args)}: no answer in {_PATIENCE} seconds") from None
    except FileNotFoundError:
        raise NoGitError("git is not installed") from None
    except OSError as error:
        raise GitError(f"cannot start git: {error.strerror or error}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        kind = NoGitError if "not a git repository" in said else GitError
        raise kind(f"git {_command(args)}: {said or f'status {done.returncode}'}")
    return done.stdout


def _command(args: Iterable[str]) -> str:
    """The name of the git command among the arguments."""
    words = iter(args)
    return next(word for word in words if word != "-c" or not next(words))


_known: dict[str, tuple[str, ...]] = {}


def repository_settings(folder: str) -> tuple[str, ...]:
    """The keys that the repository itself sets.

    Raises:
        GitError: git is not installed, or cannot read them.
    """
    key = os.path.abspath(folder)
    if key not in _known:
        words = _git(folder, "config", "--list", "--show-scope", "--name-only", "-z").split(b"\0")
        pairs = zip(words[::2], words[1::2], strict=False)
        _known[key] = tuple(os.fsdecode(name) for scope, name in pairs if scope.decode() not in _OURS)
    return _known[key]


def _filters(folder: str) -> list[str]:
    """The repository's settings of filters, which must be overridden with empty values.

    Raises:
        GitError: there is a setting that cannot be overridden.
    """
    found = repository_settings(folder)
    for key in found:
        if _REFUSED.fullmatch(key) or ("=" in key and _FILTER.fullmatch(key)):
            raise GitError(f"this repository's settings name a program, which is not run: {key}; unset it")
    return [key for key in found if _FILTER.fullmatch(key)]


def names_signer(folder: str) -> bool:
    """Whether the repository's settings name the program that signs commits."""
    return any(_SIGNING.fullmatch(key) for key in repository_settings(folder))


def top_level(folder: str) -> str:
    """The root of the working tree that a folder is in.

    Raises:
        GitError: the folder is in no working tree.
    """
    top = os.fsdecode(git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n"))
    # A repository can declare another folder as its working tree, which must not be written to.
    if "core.worktree" in repository_settings(folder):
        inside = os.path.commonpath((os.path.realpath(folder), os.path.realpath(top))) == os.path.realpath(top)
        if not inside or not os.path.lexists(os.path.join(top, ".git")):
            raise GitError(f"this repository's core.worktree points to {top}, which is not its working tree")
    return top


# Names of files that differ, without running drivers or entering submodules; the contents need not be present.
_DIFF = ("diff", "--name-only", "-z", "--no-ext-diff", "--no-textconv", "--no-renames", "--ignore-submodules=all")


def unstaged(top: str) -> frozenset[str]:
    """The real paths of the files in a working tree that differ from git's index.

    Raises:
        NoGitError: git is not installed, or there is no working tree.
        GitError: git does not know.
    """
    top = top_level(top)  # reports why, if git does not trust the owner
    here = os.path.realpath(top)
    names = git(top, *_DIFF).split(b"\0") + _passed_over(top)
    return frozenset(os.path.join(here, os.fsdecode(name)) for name in names if name)


def _passed_over(top: str) -> list[bytes]:
    """Files that git was told not to compare (assume-unchanged, skip-worktree): their changes are unknown."""
    entries = git(top, "ls-files", "-v", "-z").split(b"\0")
    return [entry[2:] for entry in entries if entry[:1] == b"S" or entry[:1].islower()]


def changed_since(revision: str, folders: Iterable[str]) -> frozenset[str]:
    """The real paths of files below folders that differ from the merge base of a revision and HEAD.

    These are the files that a pull request against the revision changes, including uncommitted changes and
    new files that git does not ignore.

    Raises:
        GitError: a folder is in no repository, or there is no such revision.
    """
    if not revision or revision.startswith("-"):
        raise GitError(f"{revision!r} is not a revision")
    found: set[str] = set()
    for folder in folders:
        try:
            commit = git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", "--").split()
        except GitError:
            git(folder, "rev-parse", "--git-dir")  # reports what is wrong, if it is not the revision
            raise GitError(f"git knows no revision {revision!r} in {folder}") from None
        base = _merge_base(folder, commit[0].decode())
        names = git(folder, *_DIFF, "--relative", "--diff-filter=d", base, "--", ".")
        names += git(folder, "ls-files", "--others", "--exclude-standard", "-z")
        here = os.path.realpath(folder)
        found.update(os.path.join(here, os.fsdecode(name)) for name in names.split(b"\0") if name)
    return frozenset(found)


def _merge_base(folder: str, commit: str) -> str:
    try:
        return git(folder, "merge-base", commit, "HEAD").decode().split()[0]
    except GitError:
        return commit  # no common history, or nothing committed yet
