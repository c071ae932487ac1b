"""The configuration file that ``caffefix init`` writes: what was found, and the keys that may be wanted for it.

Every key is a comment: nothing that is found in a folder is certain enough to change what a run does.
"""

from __future__ import annotations

import glob
import json
import textwrap
from collections.abc import Iterable, Iterator

from caffefix.commands.init.results import Count, Survey
from caffefix.syntax.source import visible

_MANY = 20  # files or findings that are listed
_SOME = 5  # forks that are named
_COLUMNS = 98
BVLC = "bvlc"


def render(found: Survey) -> str:
    """The file; it is TOML, and sets nothing."""
    blocks = (_head(found), _scratch(found), _caffe(found), _exclude(found), _ignore(found))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _head(found: Survey) -> Iterator[str]:
    yield from _said(
        "Settings of caffefix for this folder and those below it. This file sets nothing yet: remove the # before "
        "a key to use it. `caffefix config` shows what is in force; docs/configuration.md describes all keys."
    )
    yield "#"
    yield from _said(f"Found: {told_files(found)}.")
    if found.formats:
        yield from _said(f"Formats: {told_formats(found)}.")
    if found.settings:
        yield from _said(f"Their own settings, instead of this file, have: {_listed(found.settings)}.")


def _scratch(found: Survey) -> Iterator[str]:
    yield from _said(
        "Whether nets are trained from their fillers; false where weights are loaded (fine-tuning), so that what "
        "fillers would make does not matter. This changes what is reported and fixed."
    )
    if found.loading:
        yield from _said(
            f"{found.loading} of {found.solvers} solvers name weights: the nets of these are fine-tuned, which is "
            "known without this key."
        )
    if found.pretrained:
        yield from _said(
            f"Weights beside nets: {_listed(found.pretrained)}. If training starts from these, use this key."
        )
    yield "# from-scratch = false"


def _caffe(found: Survey) -> Iterator[str]:
    yield from _said("The Caffe that the files are for.")
    yield from _said(told_caffe(found))
    for trouble in found.troubles:
        yield from _said(f"A caffe.proto cannot be used: {trouble}.")
    if found.protos:
        yield f"# proto = {_toml(found.protos[0])}"
    else:
        names = [fork.name for fork in suitable(found)]
        yield f"# dialect = {_toml(BVLC if BVLC in names else next(iter(names), ''))}"


def _exclude(found: Survey) -> Iterator[str]:
    yield from _said("Files and folders that are skipped when a folder is searched, also by .caffefixignore.")
    if found.unreadable:
        yield from _said(
            f"{_count(len(found.unreadable), 'file')} cannot be read or parsed; `caffefix --check` says why. "
            "This skips them:"
        )
    patterns = [glob.escape(path) for path in found.unreadable if _is_text(path)]
    yield "# exclude = [" + ("" if patterns else '"vendor"]')
    if patterns:
        yield from (f"#   {_toml(pattern)}," for pattern in patterns[:_MANY])
        if len(patterns) > _MANY:
            yield f"#   # and {len(patterns) - _MANY} more"
        yield "# ]"


def _ignore(found: Survey) -> Iterator[str]:
    yield from _said("Findings that are not checked for. `caffefix explain NAME` shows what one is about.")
    if found.findings:
        yield from _said(f"A first run would find, and change {_count(found.to_fix, 'file')}:")
        yield "#"
        yield from (f"#   {line}" for line in told_findings(found, _MANY))
        yield "#"
    name = found.findings[0].name if found.findings else "legacy-v1-layers"
    yield f"# ignore = [{_toml(name)}]"


# ------------------------------------------------------------ also for the screen


def told_files(found: Survey) -> str:
    """How many files there are, and what they are for."""
    parts = [f"{role.number} {role.name}" for role in found.roles]
    if found.unreadable:
        parts.append(f"{len(found.unreadable)} not readable")
    return f"{_count(found.files, 'file')}: {', '.join(parts)}"


def told_formats(found: Survey) -> str:
    """How many nets are of which format."""
    return ", ".join(f"{_count(row.number, 'net')} of {row.name}" for row in found.formats)


def suitable(found: Survey) -> list[Count]:
    """The known forks that accept all nets and solvers."""
    return [fork for fork in found.forks if fork.number == found.nets]


def told_caffe(found: Survey) -> str:
    """Which Caffe accepts the files."""
    if found.protos:
        return (
            f"This repository's own ({_listed(found.protos)}) is found without a key, and files are judged by it."
        )
    if not found.nets:
        return "There is no net and no solver."
    names = [fork.name for fork in suitable(found)]
    if BVLC in names:
        return "BVLC's Caffe accepts all nets and solvers. Which forks do is recognised from each file."
    if names:
        return f"Not BVLC's Caffe, but these accept all nets and solvers: {_listed(names, _SOME)}."
    most = max(found.forks, key=lambda fork: (fork.number, fork.name == BVLC), default=None)
    best = f"; {most.name} accepts the most, {most.number} of {found.nets}" if most is not None else ""
    return f"No known fork accepts all nets and solvers{best} (caffefix dialects FILE shows why)."


def told_findings(found: Survey, most: int) -> Iterator[str]:
    """A table of findings, the most common first."""
    rows = found.findings[:most]
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        counts = [
            f"{number} {word}" for number, word in ((row.fixed, "to fix"), (row.left, "to look at")) if number
        ]
        yield f"{row.name:<{width}}  {', '.join(counts)} (in {_count(row.files, 'file')})"
    if len(found.findings) > most:
        yield f"and {len(found.findings) - most} other findings"


def _listed(names: Iterable[str], most: int = 3) -> str:
    known = list(names)
    rest = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(map(_plain, known[:most])) + rest


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _said(text: str) -> Iterator[str]:
    return (f"# {line}" for line in textwrap.wrap(_plain(text), _COLUMNS, break_long_words=False))


def _plain(text: str) -> str:
    """Text that may be in a comment: TOML allows neither control characters nor bytes that are not UTF-8."""
    return visible(text).encode("utf-8", "backslashreplace").decode()


def _is_text(path: str) -> bool:
    """Whether a string of TOML can hold a path, and a person can read it."""
    return _plain(path) == path


def _toml(value: str) -> str:
    return json.dumps(_plain(value), ensure_ascii=False)
