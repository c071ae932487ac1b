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
    for (place, layer, ordinal, is_whole), group in groupby(changes, subject):
        name = title(place, layer, ordinal)
        if is_whole:
            out += [whole(name, change) for change in group]
        else:
            out.append(name or "net")
            out += [f"  {c.path}: {value(c.old)} → {value(c.new)}" for c in group]
    return "".join(f"{line}\n" for line in out)


def subject(change: Change) -> tuple[str, str, int, bool]:
    """What a change is about, and whether it is a whole layer."""
    return change.place, change.layer, change.ordinal, not change.path


def title(place: str, layer: str, ordinal: int) -> str:
    """The layer, or the net inside a solver, that changes are about; empty for the file itself."""
    name = f'layer "{one_line(layer)}"' if layer else ""
    if ordinal:
        name += f" (number {ordinal + 1} of that name)"
    return f"{place}: {name}" if place and name else place or name


def whole(name: str, change: Change) -> str:
    """The line of a layer that was added or removed."""
    sign, text = ("+", change.new) if change.new else ("-", change.old)
    return f"{sign} {name or 'layer without a name'} {one_line(text)}"


def value(text: str) -> str:
    """A value, or the word for none."""
    return one_line(text) if text else _ABSENT
