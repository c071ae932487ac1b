"""What a patch may change in the meaning of a net, derived from the patch itself: the paths that it declares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix.caffe.slots import SIDES
from caffefix.patching.entries import Add, Change, Entry, Inside, Keep, Remove, Unwrap, Wrap
from caffefix.patching.pattern import LAYER, Item, Rest

_ANY = "*"
_WIRING = frozenset((LAYER, "layer.bottom", "layer.top", "layer.include", "layer.exclude", "layer.*"))


def changed_paths(entries: Sequence[Entry]) -> tuple[str, ...]:
    """The paths, as ``Fixer.changes`` has them, from the net down."""
    found: set[str] = set()
    stack: list[tuple[str, Entry]] = [("", entry) for entry in entries]
    while stack:
        prefix, entry = stack.pop()
        if isinstance(entry, Inside):
            inner = _join(prefix, entry.before.name)
            if entry.before.name != entry.after.name:
                found.update((inner, _join(prefix, entry.after.name)))
            stack += [(inner, each) for each in entry.entries]
        elif isinstance(entry, Wrap):
            found.add(_join(prefix, entry.after.name))
            found.update(_join(prefix, _name(each.item)) for each in entry.entries if isinstance(each, Keep))
            stack += [(prefix, each) for each in entry.entries if not isinstance(each, Keep)]
        else:
            found.update(_join(prefix, name) for name in _names(entry))
    return tuple(sorted(set().union(*map(_as_caffe_sees_it, found))))


def is_structural(paths: Sequence[str]) -> bool:
    """Whether it may change which layer reads which."""
    return any(
        path in (LAYER, "layer.bottom", "layer.top", "layer.include", "layer.exclude", "layer.*") for path in paths
    )


def _names(entry: Entry) -> Iterator[str]:
    if isinstance(entry, Change):
        yield from (entry.before.name, entry.after.name)
    elif isinstance(entry, Add | Remove):
        yield _name(entry.item)
    elif isinstance(entry, Unwrap):
        yield from (entry.before.name, *(_name(item) for item in entry.before.items))


def _name(item: Item) -> str:
    return _ANY if isinstance(item, Rest) else item.name


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name or _ANY}" if prefix else name or _ANY


def _as_caffe_sees_it(path: str) -> Iterator[str]:
    """A path and the paths that Caffe's upgrade may turn it into."""
    yield path
    names = path.split(".")
    if path == "layer.name":
        yield LAYER  # layers are identified by their names
    if path == "layer.type":
        yield "layer.param"  # Caffe sets the rates of a BatchNorm
    if names[0] == "input" or names[0].startswith("input_"):
        yield LAYER
    for both, sides in SIDES.items():
        if names[-1] in (both, *sides):
            yield from (".".join((*names[:-1], name)) for name in (both, *sides))
    if "dummy_data_param" in names[:-1]:
        yield ".".join(names[: names.index("dummy_data_param") + 1])
    for old in ("concat_dim", "slice_dim"):
        if names[-1] == old:
            yield ".".join((*names[:-1], "axis"))
