"""Which forks suit a file, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from caffefix.caffe.needs import FIELD, VALUE, Fit, Need
from caffefix.caffe.own.likeness import nearest_known
from caffefix.caffe.registry import Fork, forks
from caffefix.caffe.schema import load
from caffefix.syntax.source import Source, display, one_line, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHOWN = 4  # forks in a line of text
_NAMED = 6  # names shown of each kind of thing that a file needs
_COUNTED = 1 << 10  # things that are checked to count how many a fork lacks
_FEW = 3  # things that the nearest fork may lack to be worth reporting


def as_text(source: Source, fit: Fit | None) -> str:
    """The forks that suit a file, what it needs, the nearest of the others, and what stops the rest."""
    if fit is None:
        return f"{visible(source.path)}: neither net nor solver\n"
    suited = _some(fit.fitting & ~fit.unread)
    own = _own(fit)
    is_for_own = bool(fit.fitting & fit.verdict.caffes.own)
    known = f"{'also ' if is_for_own and suited else ''}{suited or 'no known fork has all of it'}"
    out = [f"{visible(source.path)}: {f'{own}; ' if is_for_own else ''}{known}"]
    if own and not is_for_own:
        first, *others = _lacked_by_own(fit)
        out.append(f"  not {own}: {_words(source, first)}{f' (and {len(others)} more)' if others else ''}")
    needed = [need for need in fit.needs if need.lacking & load().bit("bvlc")]
    if needed:
        out.append(f"  needs: {_things(needed)}{f' → {suited}' if suited else ''}")
        out += [f"  nearest: {_some(these)}: all but {_things(lacked)}" for these, lacked in _nearest(fit)]
    out += [f"  not {_some(those)}: {_words(source, need)}" for need, those in _stopping(fit)]
    unknown = fit.fitting & fit.unread & load().everyone
    if unknown:
        out.append(f"  unknown: {_some(unknown)}: the parser accepts it; what they register was not read")
    return "\n".join(out) + "\n"


def _own(fit: Fit) -> str:
    """The repository's own Caffe, if it has one, with the most similar known fork."""
    given = fit.verdict.caffes.given
    if given is None:
        return ""
    more = ", what it registers was not read" if fit.unread & fit.verdict.caffes.own else ""
    return f"this repository's {visible(given.name)} (nearest known: {nearest_known(fit.verdict.caffes)}{more})"


def _lacked_by_own(fit: Fit) -> list[Need]:
    return [need for need in fit.needs if need.lacking & fit.verdict.caffes.own]


def _own_as_json(source: Source, fit: Fit) -> dict[str, Any] | None:
    caffes = fit.verdict.caffes
    if caffes.given is None:
        return None
    return {
        "proto": display(caffes.given.name),
        "nearest": nearest_known(caffes),
        "accepts": bool(fit.verdict.accepting & caffes.own),
        "fits": bool(fit.fitting & caffes.own),
        "registers_unread": bool(fit.unread & caffes.own),
        "lacks": [
            {"kind": need.kind, "name": display(need.name), **_place(source, need), "message": display(need.text)}
            for need in _lacked_by_own(fit)
        ],
    }


def _words(source: Source, need: Need) -> str:
    place = source.position(need.node.start)
    return f"{place.line}:{place.column}: {one_line(need.text)}"


def as_json(source: Source, fit: Fit | None) -> dict[str, Any]:
    """The same as data; ``accepted`` is null for a file that is neither a net nor a solver."""
    if fit is None:
        return {"path": source.path, "accepted": None, "refused": []}
    parsers = [need for need in fit.needs if need.kind in (FIELD, VALUE)]
    registries = [need for need in fit.needs if need.kind not in (FIELD, VALUE)]
    return {
        "path": source.path,
        "own": _own_as_json(source, fit),
        "accepted": _sorted(fit.verdict.accepting),
        "fitting": _sorted(fit.fitting),
        "unread": _sorted(fit.fitting & fit.unread),
        "needs": [
            {
                "kind": need.kind,
                "name": display(need.name),
                **_place(source, need),
                "lacking": _sorted(need.lacking),
            }
            for need in fit.needs
        ],
        "nearest": [
            {"forks": _sorted(these), "lacks": [{"kind": n.kind, "name": display(n.name)} for n in lacked]}
            for these, lacked in _nearest(fit)
        ],
        "refused": _refusals(source, parsers, load().everyone),
        "unregistered": _refusals(source, registries, fit.verdict.accepting),
    }


def forks_as_text() -> str:
    """All forks, a line each."""
    rows: list[tuple[str, ...]] = [
        ("fork", "repository", "read as of", "fields", "layer types", "solver types", "fillers")
    ]
    rows += [_row(fork) for fork in sorted(forks(), key=lambda fork: fork.name)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def forks_as_json() -> list[dict[str, Any]]:
    """The same as data; what was not read is null."""
    return [
        {
            "name": fork.name, "repository": fork.repository, "ref": fork.ref, "commit": fork.commit,
            "date": fork.date, "fields": fork.fields, "layer_types": fork.layer_types or None,
            "solver_types": fork.solver_types or None, "fillers": fork.fillers or None,
        }
        for fork in sorted(forks(), key=lambda fork: fork.name)
    ]  # fmt: skip


def _row(fork: Fork) -> tuple[str, ...]:
    where = fork.repository + (f" ({fork.ref})" if fork.ref else "")
    counts = (fork.layer_types, fork.solver_types, fork.fillers)
    return fork.name, where or "-", fork.date or "-", str(fork.fields), *(str(n) if n else "-" for n in counts)


def _stopping(fit: Fit) -> Iterator[tuple[Need, int]]:
    """The first need that stops each fork, with the forks that it stops; needs of the parser come first."""
    rest = load().everyone & ~fit.fitting
    for parses in (True, False):
        for need in fit.needs:
            those = need.lacking & rest if (need.kind in (FIELD, VALUE)) is parses else 0
            if those:
                yield need, those
                rest &= ~those


def _refusals(source: Source, needs: Iterable[Need], rest: int) -> list[dict[str, Any]]:
    found = []
    for need in needs:
        if need.lacking & rest:
            found.append(
                {"forks": _sorted(need.lacking & rest), **_place(source, need), "message": display(need.text)}
            )
            rest &= ~need.lacking
    return found


def _nearest(fit: Fit) -> Iterator[tuple[int, tuple[Need, ...]]]:
    """The forks that lack least, of those that lack something and were read, grouped by what they lack."""
    lacked: dict[int, list[Need]] = {}
    for need in fit.needs[:_COUNTED]:
        for index in range(len(load().forks)):
            if need.lacking & ~fit.unread & 1 << index:
                lacked.setdefault(index, []).append(need)
    least = min(map(len, lacked.values()), default=0)
    groups: dict[tuple[tuple[str, str], ...], tuple[int, tuple[Need, ...]]] = {}
    for index, needs in lacked.items():
        if len(needs) == least <= _FEW:
            key = tuple((need.kind, need.name) for need in needs)
            groups[key] = groups.get(key, (0, ()))[0] | 1 << index, tuple(needs)
    largest = sorted(groups.values(), key=lambda group: -bin(group[0]).count("1"))
    yield from largest[:_FEW]


def _things(needs: Iterable[Need]) -> str:
    """``Permute, PriorBox (layer types), norm_param (field)``."""
    kinds: dict[str, list[str]] = {}
    for need in needs:
        kinds.setdefault(need.kind, []).append(one_line(need.name))
    told = []
    for kind, names in sorted(kinds.items(), key=lambda item: item[0] in (FIELD, VALUE)):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        many = kind if len(names) == 1 else "lr_policies" if kind == "lr_policy" else f"{kind}s"
        told.append(f"{', '.join(names[:_NAMED])}{more} ({many})")
    return ", ".join(told)


def _place(source: Source, need: Need) -> dict[str, int]:
    place = source.position(need.node.start)
    return {"line": place.line, "column": place.column}


def _sorted(forks: int) -> list[str]:
    return sorted(load().names(forks))


def _some(forks: int) -> str:
    """A few names of a set, BVLC's first; the best known come first in the tables."""
    shown = sorted(load().names(forks), key=lambda name: name != "bvlc")
    return ", ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")
