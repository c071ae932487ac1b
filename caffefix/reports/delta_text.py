"""Differences in meaning as text, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from caffefix.caffe.change import Change
from caffefix.syntax.source import one_line

_ABSENT = "absent"


def render(changes: Iterable[Change]) -> str:
    """One line per layer, and one for each of its fields that differ; empty if nothing differs."""
    out = []
    for (place, layer, ordinal, whole), group in groupby(changes, _subject):
        title = _title(place, layer, ordinal)
        if whole:
            out += [_whole(title, change) for change in group]
        else:
            out.append(title or "net")
            out += [f"  {c.path}: {_value(c.old)} → {_value(c.new)}" for c in group]
    return "".join(f"{line}\n" for line in out)


def _subject(change: Change) -> tuple[str, str, int, bool]:
    return change.place, change.layer, change.ordinal, not change.path


def _title(place: str, layer: str, ordinal: int) -> str:
    name = f'layer "{one_line(layer)}"' if layer else ""
    if ordinal:
        name += f" (number {ordinal + 1} of that name)"
    return f"{place}: {name}" if place and name else place or name


def _whole(title: str, change: Change) -> str:
    sign, text = ("+", change.new) if change.new else ("-", change.old)
    return f"{sign} {title or 'layer without a name'} {one_line(text)}"


def _value(text: str) -> str:
    return one_line(text) if text else _ABSENT
