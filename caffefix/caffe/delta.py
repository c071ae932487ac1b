"""The differences between the meanings of two files.

``undeclared`` decides whether all differences lie on given paths; it compares messages and is
cheap. ``changes`` describes the differences for people: DeepDiff runs only on the layers that differ.

A path is field names from the net down, without positions: ``layer.param.lr_mult``. A declared
path covers all that is below it; its names may be globs (``layer.*_param.weight_filler``).
``layer`` alone covers whole layers: new ones, missing ones, and their order. ``UNLOADABLE``
covers everything in a file that Caffe cannot load.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from caffefix._startup.records import dataclass
from caffefix.caffe.change import Change
from caffefix.caffe.dialect import UNLOADABLE
from caffefix.caffe.messages import UNKNOWN, message_class
from caffefix.caffe.normal import NormalForm, NormalLayer, NormalNet
from caffefix.caffe.rendering import differences, plain, text_of, unknown_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LAYER = "layer"

_Key = tuple[str, int]


@dataclass(slots=True)
class _Difference:
    """Two messages that differ; one is None where a whole layer was added or removed, both where it moved."""

    place: str
    key: _Key | None  # of the layer; None for the fields of a net or solver
    old: Any
    new: Any
    moved: tuple[str, str] | None = None

    @property
    def is_layer(self) -> bool:
        return self.key is not None

    @property
    def is_field(self) -> bool:
        return self.old is not None and self.new is not None


def same(old: NormalForm, new: NormalForm) -> bool:
    """Whether two files mean the same."""
    return old.unloadable == new.unloadable and not any(True for _ in _differing(old, new))


def undeclared(old: NormalForm, new: NormalForm, declared: Sequence[str]) -> list[Change]:
    """The differences beyond the declared paths."""
    if old.unloadable and UNLOADABLE in declared:
        return []
    # A file that could not load may stop at its next mistake once the first is fixed.
    spoilt = new.unloadable if not old.unloadable else ""
    old, new = (NormalForm(form.nets, form.rest) for form in (old, new))
    patterns = [tuple(path.split(".")) for path in declared]
    inside = [p[1:] for p in patterns if p[0] == LAYER and len(p) > 1]
    outside = [p for p in patterns if p[0] != LAYER]
    found = [Change(place="", layer="", ordinal=0, path=UNLOADABLE, old="", new=spoilt)] if spoilt else []
    for difference in _differing(old, new):
        if difference.is_layer and (LAYER,) in patterns:
            continue
        if difference.is_field:
            paths = inside if difference.is_layer else outside
            found += _rendered(difference, _without(difference.old, paths), _without(difference.new, paths))
        else:
            found += _rendered(difference, difference.old, difference.new)
    return found


def changes(old: NormalForm, new: NormalForm) -> list[Change]:
    """All differences, in the order of the new file, removed layers first."""
    found = []
    if old.unloadable != new.unloadable:
        found.append(
            Change(place="", layer="", ordinal=0, path=UNLOADABLE, old=old.unloadable, new=new.unloadable)
        )
    for difference in _differing(old, new):
        found += _rendered(difference, difference.old, difference.new)
    return found


# ---------------------------------------------------------------- comparing


def _differing(old: NormalForm, new: NormalForm) -> Iterator[_Difference]:
    if not _alike(old.rest, new.rest):
        yield _Difference("", None, old.rest, new.rest)
    theirs = {net.place: net for net in new.nets}
    ours = {net.place: net for net in old.nets}
    for place in dict.fromkeys((*ours, *theirs)):
        if place not in theirs:
            yield _Difference(place, None, ours[place].message, None)
        if place not in ours:
            yield _Difference(place, None, None, theirs[place].message)
        one = ours.get(place) or _empty(place)
        other = theirs.get(place) or _empty(place)
        if place in ours and place in theirs and not _alike(one.message, other.message):
            yield _Difference(place, None, one.message, other.message)
        if len(one.layers) != len(other.layers) or not all(map(_equal, one.layers, other.layers)):
            yield from _layers(one, other)


def _equal(old: NormalLayer, new: NormalLayer) -> bool:
    return old is new or _alike(old.message, new.message)


def _alike(old: Any, new: Any) -> bool:
    """Whether two messages are equal; nan is equal to itself here."""
    if old == new:
        return True
    same: bool = old.SerializeToString(deterministic=True) == new.SerializeToString(deterministic=True)
    return same and type(old) is type(new)


def _empty(place: str) -> NormalNet:
    return NormalNet(place, message_class("NetParameter")(), ())


def _layers(old: NormalNet, new: NormalNet) -> Iterator[_Difference]:
    if [layer.name for layer in old.layers] == [layer.name for layer in new.layers]:
        for (key, one), other in zip(old.keys(), new.layers, strict=True):
            if not _equal(one, other):
                yield _Difference(old.place, key, one.message, other.message)
        return
    before, after = dict(old.keys()), dict(new.keys())
    for key, layer in before.items():
        if key not in after:
            yield _Difference(old.place, key, layer.message, None)
    stayed = _in_order([key for key in before if key in after], [key for key in after if key in before])
    stood, stands = _places(before), _places(after)
    for key, layer in after.items():
        if key not in before:
            yield _Difference(old.place, key, None, layer.message)
        elif not _equal(before[key], layer):
            yield _Difference(old.place, key, before[key].message, layer.message)
        if key in before and key not in stayed:
            yield _Difference(old.place, key, None, None, (stood[key], stands[key]))


def _places(keys: Iterable[_Key]) -> dict[_Key, str]:
    """The layer that each one follows."""
    places = {}
    place = "first"
    for key in keys:
        places[key] = place
        place = f"after {key[0]}"
    return places


def _in_order(old: list[_Key], new: list[_Key]) -> set[_Key]:
    """The largest set of keys that are in the same order in both (patience: longest increasing run)."""
    if old == new:
        return set(old)
    from bisect import bisect_left

    rank = {key: index for index, key in enumerate(old)}
    tails: list[int] = []
    ends: list[_Key] = []
    back: dict[_Key, _Key | None] = {}
    for key in new:
        at = bisect_left(tails, rank[key])
        tails[at : at + 1] = [rank[key]]
        ends[at : at + 1] = [key]
        back[key] = ends[at - 1] if at else None
    kept = set()
    last = ends[-1] if ends else None
    while last is not None:
        kept.add(last)
        last = back[last]
    return kept


# ---------------------------------------------------------------- declared paths


def _without(message: Any, patterns: list[tuple[str, ...]]) -> Any:
    """The message, or a copy without the fields at these paths and without messages left empty by this."""
    if not any(_leads(message, pattern) for pattern in patterns):
        return message
    copy = type(message)()
    copy.CopyFrom(message)
    for pattern in patterns:
        _clear(copy, pattern)
    return copy


def _matching(message: Any, name: str) -> list[str]:
    return [field.name for field, _ in message.ListFields() if fnmatchcase(field.name, name)]


def _leads(message: Any, pattern: tuple[str, ...]) -> bool:
    unknown = any(fnmatchcase(unknown_name(text), pattern[0]) for text in getattr(message, UNKNOWN))
    return unknown or bool(_matching(message, pattern[0]))


def _clear(message: Any, pattern: tuple[str, ...]) -> None:
    chain: list[tuple[Any, str]] = []
    level = [message]
    for depth, name in enumerate(pattern):
        last = depth == len(pattern) - 1
        following = []
        for held in level:
            kept = [text for text in getattr(held, UNKNOWN) if not fnmatchcase(unknown_name(text), name)]
            if last and len(kept) < len(getattr(held, UNKNOWN)):
                held.ClearField(UNKNOWN)
                getattr(held, UNKNOWN).extend(kept)
            for field in _matching(held, name):
                if last:
                    held.ClearField(field)
                elif held.DESCRIPTOR.fields_by_name[field].message_type is not None:
                    inner = getattr(held, field)
                    repeated = hasattr(inner, "add")
                    following += list(inner) if repeated else [inner]
                    if not repeated:
                        chain.append((held, field))
        level = following
    for held, field in reversed(chain):
        if held.HasField(field) and not getattr(held, field).ListFields():
            held.ClearField(field)


# ---------------------------------------------------------------- reporting


def _rendered(difference: _Difference, old: Any, new: Any) -> list[Change]:
    name, ordinal = difference.key or ("", 0)
    if difference.moved is not None:
        return [Change(difference.place, name, ordinal, "order", *difference.moved)]
    if old is None or new is None:
        before, after = (text_of(plain(m)) if m is not None else "" for m in (old, new))
        return [Change(place=difference.place, layer=name, ordinal=ordinal, path="", old=before, new=after)]
    if _alike(old, new):
        return []
    told = differences(old, new) or [("", text_of(plain(old)), text_of(plain(new)))]
    return [Change(difference.place, name, ordinal, *change) for change in told]
