"""Which layers and blobs of a net have other names in a second version of it.

Names are matched by what they name: a layer by its content and by the layers that it is connected with, whatever
these and their blobs are called. The new names are given to the old net, and what then still differs is compared
as ever: a wrong guess makes the list of differences longer, never untrue.

All steps take a time that grows with the number of layers and connections, however many are alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence

from caffefix._startup.records import dataclass, replace
from caffefix.caffe.normal import NormalLayer, NormalNet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_Pairs = dict[int, int]  # indices of layers: of the old net → of the new one


@dataclass(frozen=True, slots=True)
class Renamed:
    """A layer or blob with another name.

    Attributes:
        old: its name, one character per byte.
        new: its new name.
        ordinal: of a layer, the index among the new net's layers of that name.
        is_blob: whether it is a blob.
    """

    old: str
    new: str
    ordinal: int = 0
    is_blob: bool = False


def renamed(old: NormalNet, new: NormalNet) -> tuple[list[Renamed], NormalNet]:
    """What has other names in the new net, and the old net with these names."""
    if [layer.name for layer in old.layers] == [layer.name for layer in new.layers] and all(
        _names(one) == _names(other) for one, other in zip(old.layers, new.layers, strict=True)
    ):
        return [], old
    ids: dict[Hashable, int] = {}
    before, after = _Wires(old, ids), _Wires(new, ids)
    same = _of_one_name(old, new)
    found = _matched(before, after, same)
    blobs = _blob_names(before, after, {**same, **found})
    found = _connected(before, after, found, blobs)
    blobs = _blob_names(before, after, {**same, **found})
    found = _connected(before, after, found, blobs)
    gone = {layer.name for layer in old.layers} - {layer.name for layer in new.layers}
    told = [Renamed(old.layers[i].name, new.layers[j].name, after.ordinals[j]) for i, j in sorted(found.items())]
    told += [Renamed(_text(x), _text(y), is_blob=True) for x, y in blobs.items() if x != y]
    gone -= {old.layers[i].name for i in found}
    return told, _applied(old, {i: new.layers[j].name for i, j in found.items()}, blobs, gone)


# ---------------------------------------------------------------- what a layer is, whatever the names


class _Wires:
    """The layers of a net as numbers: what each one is, and what is connected with it."""

    def __init__(self, net: NormalNet, ids: dict[Hashable, int]) -> None:
        self.layers = net.layers
        self.ids = ids
        self.ordinals = [ordinal for (_, ordinal), _ in (*net.keys(),)]
        self.kinds = [self._id(_content(layer.message)) for layer in net.layers]
        # Of each bottom, the layer that produces it and which top it is; of a blob from outside, -1.
        self.sources: list[tuple[tuple[int, int], ...]] = []
        latest: dict[bytes, tuple[int, int]] = {}
        for index, layer in enumerate(net.layers):
            self.sources.append(tuple(latest.get(name, (-1, 0)) for name in layer.message.bottom))
            latest.update((name, (index, slot)) for slot, name in enumerate(layer.message.top))
        self.makers: dict[bytes, int] = {}
        for index, layer in enumerate(net.layers):
            for name in layer.message.top:
                self.makers.setdefault(name, index)
        self.readers: list[list[tuple[int, int, int]]] = [[] for _ in net.layers]
        for index, sources in enumerate(self.sources):
            for slot, (source, top) in enumerate(sources):
                if source >= 0:
                    self.readers[source].append((top, index, slot))

    def _id(self, key: Hashable) -> int:
        return self.ids.setdefault(key, len(self.ids))

    def above(self) -> list[int]:
        """A number for each layer, equal where everything that it depends on is alike, too."""
        found: list[int] = []
        for kind, sources in zip(self.kinds, self.sources, strict=True):
            known = tuple((found[source] if source >= 0 else -1, top) for source, top in sources)
            found.append(self._id(("above", kind, known)))
        return found

    def below(self) -> list[int]:
        """A number for each layer, equal where everything that depends on it is alike, too."""
        found = [0] * len(self.kinds)
        for index in reversed(range(len(self.kinds))):
            known = sorted((top, found[reader], slot) for top, reader, slot in self.readers[index])
            found[index] = self._id(("below", self.kinds[index], tuple(known)))
        return found


def _content(message: Any) -> Hashable:
    """A layer without its name; of its blobs, only which of them are one and the same."""
    copy = type(message)()
    copy.CopyFrom(message)
    numbers: dict[bytes, bytes] = {}
    for names in (copy.bottom, copy.top):
        alike = [numbers.setdefault(name, b"%d" % len(numbers)) for name in names]
        del names[:]
        names.extend(alike)
    copy.ClearField("name")
    return type(message).__name__, copy.SerializeToString(deterministic=True)


def _names(layer: NormalLayer) -> tuple[list[bytes], list[bytes]]:
    return list(layer.message.bottom), list(layer.message.top)


# ---------------------------------------------------------------- matching


def _of_one_name(old: NormalNet, new: NormalNet) -> _Pairs:
    """Layers whose names are in both nets."""
    places = {key: index for index, (key, _) in enumerate(new.keys())}
    return {index: places[key] for index, (key, _) in enumerate(old.keys()) if key in places}


def _matched(before: _Wires, after: _Wires, same: _Pairs) -> _Pairs:
    """Layers whose names are in one net only, and that may be each other: first the surest."""
    found: _Pairs = {}
    _pair(before.above(), after.above(), same, found)
    _pair(before.below(), after.below(), same, found)
    _follow(before, after, same, found)
    return {i: j for i, j in found.items() if after.layers[j].name}


def _pair(one: Sequence[int], other: Sequence[int], same: _Pairs, found: _Pairs) -> None:
    """Match what is not yet matched and has equal numbers, in the order of the files."""
    taken = {*same.values(), *found.values()}
    left: defaultdict[int, list[int]] = defaultdict(list)
    for index in reversed(range(len(other))):
        if index not in taken:
            left[other[index]].append(index)
    for index, number in enumerate(one):
        if index not in same and index not in found and left[number]:
            found[index] = left[number].pop()


def _follow(before: _Wires, after: _Wires, same: _Pairs, found: _Pairs) -> None:
    """Match layers that are alike and read, or are read by, what is matched: down the net, then up."""
    for is_down in (True, False):
        matched = {**same, **found}
        back = {j: i for i, j in matched.items()}
        left: defaultdict[Hashable, list[int]] = defaultdict(list)
        for index in reversed(range(len(before.kinds))):
            if index not in matched:
                left[_neighbours(before, index, is_down, None)].append(index)
        for index in range(len(after.kinds)) if is_down else reversed(range(len(after.kinds))):
            if index in back:
                continue
            candidates = left.get(_neighbours(after, index, is_down, back))
            if candidates:
                match = candidates.pop()
                found[match], back[index] = index, match


def _neighbours(wires: _Wires, index: int, is_down: bool, back: _Pairs | None) -> Hashable:
    """What a layer is, and what it reads or is read by, as indices of the old net; -2 for what is not matched."""
    known: Iterable[tuple[int, ...]]
    if is_down:
        known = wires.sources[index]
        if back is not None:
            known = [(back.get(source, -2) if source >= 0 else -1, top) for source, top in known]
    else:
        known = wires.readers[index]
        if back is not None:
            known = [(top, back.get(reader, -2), slot) for top, reader, slot in known]
        known = sorted(known)
    return wires.kinds[index], tuple(known)


# ---------------------------------------------------------------- blobs


def _blob_names(before: _Wires, after: _Wires, pairs: _Pairs) -> dict[bytes, bytes]:
    """The new name of each of the old net's blobs: what most of the matched layers call it.

    No two get one name, and the layers that produce it before and after are matched themselves.
    """
    made_by = {**pairs, -1: -1}
    votes: Counter[tuple[bytes, bytes]] = Counter()
    for i, j in pairs.items():
        for mine, theirs in zip(_names(before.layers[i]), _names(after.layers[j]), strict=True):
            votes.update(
                (one, other)
                for one, other in zip(mine, theirs, strict=False)
                if one == other or made_by.get(before.makers.get(one, -1)) == after.makers.get(other, -1)
            )
    old = dict.fromkeys(name for layer in before.layers for names in _names(layer) for name in names)
    found: dict[bytes, bytes] = {}
    taken: dict[bytes, bytes] = {}
    for (one, other), _ in sorted(votes.items(), key=lambda item: (-item[1], item[0][0] != item[0][1])):
        if one not in found and other not in taken:
            found[one], taken[other] = other, one
    stay = [blob for blob in old if blob not in found]
    while stay:  # a name that stays is taken: whoever wanted it keeps its own
        blob = stay.pop()
        rival = taken.get(blob)
        found[blob], taken[blob] = blob, blob
        if rival is not None and rival != blob:
            stay.append(rival)
    return {name: found[name] for name in old}


def _connected(before: _Wires, after: _Wires, pairs: _Pairs, blobs: dict[bytes, bytes]) -> _Pairs:
    """Those pairs of layers that read and produce the same blobs."""
    return {
        i: j
        for i, j in pairs.items()
        if _names(after.layers[j]) == tuple([blobs[name] for name in names] for names in _names(before.layers[i]))
    }


def _applied(net: NormalNet, names: dict[int, str], blobs: dict[bytes, bytes], gone: set[str]) -> NormalNet:
    """The net with other names, but for layers that the new net does not have: these are shown as they are.

    Messages are shared, so they are copied before they are changed.
    """
    moved = {old: new for old, new in blobs.items() if old != new}
    layers = tuple(
        layer if layer.name in gone else _with_names(layer, names.get(index), moved)
        for index, layer in enumerate(net.layers)
    )
    message = net.message
    if moved and any(name in moved for name in message.input):
        message = type(message)()
        message.CopyFrom(net.message)
        _rename(message.input, moved)
    return replace(net, layers=layers, message=message)


def _with_names(layer: NormalLayer, name: str | None, moved: dict[bytes, bytes]) -> NormalLayer:
    bottoms, tops = _names(layer)
    if name is None and not any(blob in moved for blob in (*bottoms, *tops)):
        return layer
    copy = type(layer.message)()
    copy.CopyFrom(layer.message)
    if name is not None:
        copy.name = name.encode("latin-1")
    _rename(copy.bottom, moved)
    _rename(copy.top, moved)
    return NormalLayer(layer.name if name is None else name, copy)


def _rename(names: Any, moved: dict[bytes, bytes]) -> None:
    new = [moved.get(name, name) for name in names]
    del names[:]
    names.extend(new)


def _text(name: bytes) -> str:
    return name.decode("latin-1")
