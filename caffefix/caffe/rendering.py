"""Messages as readable prototxt, and the differences between two of them, found by DeepDiff."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from caffefix.caffe.messages import UNKNOWN, slots
from caffefix.caffe.schema import load
from caffefix.syntax.scalars import quoted

_LONG = 200  # lists with more elements are shown whole
_Plain = Any  # str, list or dict of the same


def plain(message: Any) -> dict[str, _Plain]:
    """A message as dicts and lists of scalars as prototxt writes them; messages nest as deep as the schema."""
    out: dict[str, _Plain] = {}
    unread: dict[str, list[str]] = {}
    kinds = slots(_schema_name(message))
    for field, value in message.ListFields():
        if field.name == UNKNOWN:
            for text in value:
                name = unknown_name(text)
                unread.setdefault(name, []).append(text.decode("latin-1")[len(name) :].lstrip(": "))
            continue
        kind = kinds[field.name].kind
        plain_of = plain if field.message_type is not None else _scalar(kind)
        out[field.name] = [plain_of(v) for v in value] if kinds[field.name].repeated else plain_of(value)
    # A field that is given twice, or once with a value of the wrong type, has two entries.
    out.update({f"{name} (unread)" if name in out else name: texts for name, texts in unread.items()})
    return out


def _schema_name(message: Any) -> str:
    name: str = message.DESCRIPTOR.name
    return _names().get(name, name)


@cache
def _names() -> dict[str, str]:
    return {name.replace(".", "_"): name for name in load().messages}


def _scalar(kind: str) -> Any:
    if kind in ("string", "bytes"):
        return _quoted
    return {"bool": lambda v: str(v).lower(), "enum": lambda v: v.decode("latin-1"), "float": _float}.get(
        kind, str
    )


def _quoted(value: bytes) -> str:
    return quoted(value.decode("latin-1"))


def _float(value: float) -> str:
    """The shortest text that means this 32-bit float."""
    for digits in range(6, 10):
        text = f"{value:.{digits}g}"
        try:
            if struct.pack("f", float(text)) == struct.pack("f", value):
                return text
        except OverflowError:
            continue
    return repr(value)


def text_of(plain: _Plain) -> str:
    """On one line, as prototxt."""
    if isinstance(plain, str):
        return plain
    if isinstance(plain, list):
        return "[" + ", ".join(map(text_of, plain)) + "]"
    parts = []
    for name, value in plain.items():
        for element in value if isinstance(value, list) else [value]:
            text = text_of(element)
            parts.append(f"{name} {text}" if isinstance(element, dict) else f"{name}: {text}")
    return "{ " + " ".join(parts) + " }" if parts else "{}"


def differences(old: Any, new: Any) -> list[tuple[str, str, str]]:
    """Path, old and new value of each difference between two messages."""
    from deepdiff import DeepDiff

    one, other = plain(old), plain(new)
    _narrow(one, other)
    diff = DeepDiff(one, other, view="tree", threshold_to_diff_deeper=0, ignore_private_variables=False)
    found: Counter[tuple[str, str, str]] = Counter()
    for level in (item for group in diff.values() for item in group):
        parts = level.path(output_format="list")
        sides = (level.t1, level.t2)
        old_text, new_text = ("" if type(side).__name__ == "NotPresent" else text_of(side) for side in sides)
        default = _default(_schema_name(old), parts)
        if default not in (old_text, new_text):  # where they are equal, only their presence differs
            old_text, new_text = old_text or default, new_text or default
        found[_path(parts), old_text, new_text] += 1
    return sorted(found)


def _default(message: str, path: Sequence[str | int]) -> str:
    """The value of an absent field; empty if it has none."""
    slot = None
    for name in path:
        if isinstance(name, str):
            slot = slots(slot.type if slot is not None else message).get(name)
            if slot is None:
                return ""
    if slot is None or slot.default is None or not isinstance(path[-1], str):
        return ""
    text: str = _scalar(slot.kind)(slot.default)
    return text


def _narrow(old: dict[str, _Plain], new: dict[str, _Plain]) -> None:
    """Drop equal parts, and keep long lists whole: DeepDiff is slow on both."""
    pairs = [(old, new)]
    for one, other in pairs:
        for name in [name for name in one if name in other]:
            if one[name] == other[name]:
                del one[name], other[name]
            elif isinstance(one[name], dict) and isinstance(other[name], dict):
                pairs.append((one[name], other[name]))
            elif len(one[name]) + len(other[name]) > _LONG and isinstance(one[name], list):
                one[name], other[name] = text_of(one[name]), text_of(other[name])


def _path(parts: Iterable[str | int]) -> str:
    out = ""
    for part in parts:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else str(part)
    return out


def unknown_name(text: bytes) -> str:
    """The name of a field that is kept as text."""
    return text.decode("latin-1").partition(":")[0].partition(" ")[0]
