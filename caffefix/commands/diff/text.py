"""What differs in meaning, as text: what it amounts to in one line, then names, then layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from caffefix._startup.patterns import pattern
from caffefix.caffe.change import Change
from caffefix.commands.diff.work import Comparison
from caffefix.reports.as_text import Paint, plain
from caffefix.reports.delta_text import subject, title, value, whole
from caffefix.syntax.source import one_line

# Fields that only say how weights begin and change.
_TRAINING = pattern(r"param(\[\d+\](\.(lr_mult|decay_mult))?)?|\w+_param\.(weight|bias)_filler(\..*)?")
_SHARES = pattern(r"\bname: ")


def render(found: Comparison, paint: Paint = plain) -> str:
    """The whole report."""
    changes, kind = found.changes, found.kind
    names = [change for change in changes if _is_name(change)]
    lines = [_summary(changes, kind), *(_name(change, paint) for change in names)]
    for key, group in groupby((c for c in changes if not _is_name(c)), subject):
        lines += _subject(key, list(group), kind, paint)
    return "".join(f"{line}\n" for line in lines)


def _is_name(change: Change) -> bool:
    """Whether only a layer or a blob has another name."""
    return change.path == "blob" or bool(change.layer and change.path == "name")


def _name(change: Change, paint: Paint) -> str:
    what = "blob" if change.path == "blob" else "layer"
    place = f"{change.place}: " if change.place else ""
    old, new = one_line(change.old), one_line(change.new)
    return f"{place}{paint('~', 'info')} {what} {paint(old, 'error')} → {paint(new, 'fixed')}"


def _subject(key: tuple[str, str, int, bool], group: list[Change], kind: str, paint: Paint) -> Iterator[str]:
    name = title(*key[:3])
    if key[3]:
        for change in group:
            yield paint(whole(name, change), "fixed" if change.new else "error")
        return
    yield paint(name or kind, "path")
    for change in group:
        yield f"  {change.path}: {paint(value(change.old), 'error')} → {paint(value(change.new), 'fixed')}"


# ---------------------------------------------------------------- the summary


def _summary(changes: Sequence[Change], kind: str) -> str:
    if not changes:
        return f"the {kind}s mean the same"
    return f"{', '.join(_counts(changes))}; {_amounts_to(changes, kind)}"


def _counts(changes: Sequence[Change]) -> Iterator[str]:
    layers = [c for c in changes if c.layer or not c.path]
    field_changes = {_key(c) for c in layers if c.path not in ("", "name", "order")}
    counts = (
        (len(field_changes), "changed"),
        (sum(c.path == "name" for c in layers), "renamed"),
        (sum(c.path == "order" for c in layers), "moved"),
        (sum(not c.path and bool(c.new) and not c.old for c in layers), "added"),
        (sum(not c.path and not c.new for c in layers), "removed"),
    )
    is_first = True
    for count, what in counts:
        if count:
            yield f"{_some(count, 'layer')} {what}" if is_first else f"{count} {what}"
            is_first = False
    others = [c.path for c in changes if not c.layer and c.path]
    blobs = sum(path == "blob" for path in others)
    if blobs:
        yield f"{_some(blobs, 'blob')} renamed"
    if len(others) > blobs:
        yield f"{_some(len(others) - blobs, 'other field')} changed"


def _key(change: Change) -> tuple[str, str, int]:
    return change.place, change.layer, change.ordinal


def _some(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _amounts_to(changes: Iterable[Change], kind: str) -> str:
    """What the differences mean, as far as it is certain."""
    rest = [change for change in changes if not _is_name(change)]
    renamed = any(change.path == "name" for change in changes if _is_name(change))
    if kind == "solver" and not any(change.place for change in changes):
        return "the solvers mean different things"
    caveat = " (weights are loaded by the names of layers)" if renamed else ""
    if not rest or all(change.path == "name" for change in rest):
        return f"only names differ{caveat}"
    if all(map(_trains, rest)):
        return f"only learning rates and fillers differ{caveat}"
    return f"the {kind}s mean different things"


def _trains(change: Change) -> bool:
    """Whether a change concerns training only: rates and fillers, but not which layers share a parameter."""
    shares = _SHARES.search(change.old) or _SHARES.search(change.new)
    return bool(change.layer and _TRAINING.fullmatch(change.path)) and not shares
