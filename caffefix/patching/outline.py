"""A patch under construction: its parts, and the resulting text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from caffefix._startup.records import dataclass, field
from caffefix.caffe.slots import slots
from caffefix.patching.example import Branch, Leaf, Others, Part
from caffefix.patching.generalize import Naming
from caffefix.syntax.scalars import is_string, quoted, string_value

_KNOWN = ("name", "bottom", "top")


@dataclass
class Outline:
    """What a patch is to do.

    Attributes:
        name: of the finding.
        parts: the body; fields of the net, then layers.
        units: the places of the example, each the indices of its layers.
        asked: additional fields that layers must have, by (position of the layer, path), with their values.
        names: the names that the first layer may have; empty for any.
        neighbours: conditions on other layers, by (position of the layer, field of ``where``), with a type.
    """

    name: str
    parts: list[Part]
    units: list[list[int]]
    asked: dict[tuple[int, tuple[str, ...]], str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    neighbours: dict[tuple[int, str], str] = field(default_factory=dict)

    def asks(self, position: int, path: tuple[str, ...]) -> bool:
        """Whether a field is already required or shown."""
        layer = self.layers[position]
        shown = {item.name for item in layer.items if isinstance(item, Leaf)}
        inner = {
            (item.name, leaf.name)
            for item in layer.items
            if isinstance(item, Branch)
            for leaf in item.items
            if isinstance(leaf, Leaf)
        }
        return (position, path) in self.asked or (len(path) == 1 and path[0] in shown) or path in inner

    def ask(self, position: int, path: tuple[str, ...], value: str) -> None:
        """Show another field, so that the patch matches fewer layers."""
        self.asked[position, path] = value
        layer = self.layers[position]
        if len(path) == 1:
            layer.items.insert(1, Leaf(" ", path[0], (value,)))
            return
        holder = next(
            (i for i in layer.items if isinstance(i, Branch) and i.name == path[0] and i.sign == " "), None
        )
        if holder is None:
            holder = Branch(" ", path[0], [Others()])
            at = next((n for n, item in enumerate(layer.items) if isinstance(item, Others)), len(layer.items))
            layer.items.insert(at, holder)
        holder.items.insert(0, Leaf(" ", path[1], (value,)))

    def name_them(self, names: list[str]) -> bool:
        """Restrict the first layer to these names; False if that has already been done."""
        if self.names or not all(names) or not self.layers:
            return False
        self.names = names
        return True

    @property
    def layers(self) -> list[Branch]:
        """The layers of the body."""
        return [part for part in self.parts if isinstance(part, Branch) and part.name == "layer"]


def render(outline: Outline, *, other_layout: bool = False) -> str:
    """The text of the patch.

    Args:
        outline: the patch.
        other_layout: whether to note that the example's layout differs from what the patch writes.

    Raises:
        CannotGeneralize: a new value does not follow from anything that is bound.
    """
    naming = Naming()
    for index, part in enumerate(outline.parts):
        for leaf in _leaves(part):
            if leaf.sign != "+" and isinstance(part, Branch):
                naming.bind(leaf, index)
    made = {id(leaf): naming.made(leaf) for part in outline.parts for leaf in _leaves(part) if leaf.sign == "+"}
    body = [line for part in outline.parts for line in _lines(part, naming, made, outline, 0)]
    conditions = list(dict.fromkeys(_conditions(outline)))
    called = [line.split("$")[1] for line in conditions if "$" in line]
    if called:  # the layer that a condition is about has a name
        body = _with_name(body)
    head = [f"name: {quoted(outline.name)}", 'summary: "Say here what is wrong."', "applicability: UNSAFE"]
    if outline.names:
        values = " ".join(f"any_of: {value}" for value in dict.fromkeys(outline.names))
        name = next((text[1:] for (kind, _), text in naming.written.items() if kind == "N" and text[0] == "$"), "")
        head.append(f'variable {{ name: "{name}" {values} }}')
    note = ["# To the example, it gives the same fields in a layout of its own."] if other_layout else []
    return _renumbered("\n".join([*head, *conditions, "---", *note, *body]) + "\n")


def _renumbered(text: str) -> str:
    """The text with ``$B2`` called ``$B``, if no ``$B`` is left."""
    names = dict.fromkeys(re.findall(r"\$\{?([A-Z_]+[0-9]*)", text))
    count: Counter[str] = Counter()
    new = {}
    for name in names:
        base = name.rstrip("0123456789")
        count[base] += 1
        new[name] = base if count[base] == 1 else f"{base}{count[base]}"
    text = re.sub(r"(\$\{?)([A-Z_]+[0-9]*)", lambda m: m[1] + new[m[2]], text)
    return re.sub(r'(variable \{ name: ")([A-Z_]+[0-9]*)', lambda m: m[1] + new.get(m[2], m[2]), text)


def _with_name(body: list[str]) -> list[str]:
    first = body.index("  layer {")
    return [*body[:first], "  layer $L {", *body[first + 1 :]]


def _leaves(part: Part) -> Iterator[Leaf]:
    if isinstance(part, Leaf):
        yield part
    elif isinstance(part, Branch):
        for item in part.items:
            yield from _leaves(item)


def _lines(part: Part, naming: Naming, made: dict[int, str], outline: Outline, depth: int) -> Iterator[str]:
    """Lines of the body; recurses as deep as the example nests, which is bounded."""
    lead = part.sign + " " + "  " * depth
    if isinstance(part, Others):
        yield lead + "..."
    elif isinstance(part, Leaf):
        differs = part.name == "type" and len(set(part.values)) > 1
        known = depth and part.sign == " " and not part.fixed and (part.name in _KNOWN or differs)
        asked = part.name == "name" and bool(outline.names)
        if not known or naming.key(part) in naming.used or asked:
            yield f"{lead}{part.name}: {made[id(part)] if part.sign == '+' else naming.text(part)}"
    else:
        yield f"{lead}{part.name} {{"
        for item in part.items:
            yield from _lines(item, naming, made, outline, depth + 1)
        yield f"{lead}}}"


def _conditions(outline: Outline) -> Iterator[str]:
    """Conditions on neighbours, and on what must not be present yet, so that the patch is not applied twice."""
    layers = outline.layers
    first = next((layer for layer in layers if layer.sign == " "), None)
    several = len([layer for layer in layers if layer.sign != "+"]) > 1
    of = 'of: "$L" ' if several else ""
    for (_, name), type_ in outline.neighbours.items():
        yield f"where {{ {of}{name}: {quoted(type_)} }}"
    if first is None:
        return
    for path in _new_lists(first, "LayerParameter", ""):
        yield f'where {{ {of}absent: "{path}" }}'
    for layer in layers:
        kind = next((i for i in layer.items if isinstance(i, Leaf) and i.name == "type"), None)
        if layer.sign == "+" and kind is not None and is_string(kind.values[0]):
            yield f"where {{ {of}no_consumer: {quoted(string_value(kind.values[0]))} }}"
            return


def _new_lists(branch: Branch, kind: str, prefix: str) -> Iterator[str]:
    """Paths of fields that are new, may be repeated, and are not present yet."""
    old = {i.name for i in branch.items if not isinstance(i, Others) and i.sign != "+"}
    for item in branch.items:
        if isinstance(item, Others):
            continue
        slot = slots(kind).get(item.name)
        if item.sign == "+" and (slot is None or slot.repeated) and item.name not in old:
            yield prefix + item.name
        elif isinstance(item, Branch) and item.sign == " ":
            yield from _new_lists(item, slot.type if slot is not None else "", f"{prefix}{item.name}.")
