"""docs/forks.md: what each known fork is, generated from the tables by ``python -m dev regen``."""

from __future__ import annotations

from pathlib import Path

from caffefix.caffe.layers.book import V1_TYPES
from caffefix.caffe.needs import fit
from caffefix.caffe.registry import Fork, Form, Kind, forks, known, names
from caffefix.caffe.schema import Schema, load
from caffefix.commands.dialects.text import as_text
from caffefix.syntax.parse import parse
from caffefix.syntax.source import Source

PAGE = Path(__file__).resolve().parent.parent / "docs" / "forks.md"
_SHOWN = 8

_HEAD = """# The known forks

`caffefix dialects FILE…` reports which of {count} Caffes suit a file: whose parser accepts it, and which register
the layer types, fillers, solver types and learning rate policies in it.

For the net

```
{net}```

it says

```
{said}```

- `needs` is what BVLC's Caffe of 2020 does not have, and after the arrow the forks that have all of it;
- `nearest` are the forks that lack least of what the file contains;
- `not` are the others, grouped by the first thing that they stop at, with its place;
- `unknown` are forks whose parser accepts the file, and of which nothing else was read: converters, and
  repositories that hold additions to another Caffe. They never count as having or lacking a type.

`--format json` prints the same in full ([json.md](json.md)); `--list` prints the table below with counts. All
names may be used with `--dialect`, in the configuration, and in patches (`where {{ dialect: … }}`).

The column "reads" lists formats of layers: V0 (`layers {{ layer {{ type: "conv" }} }}`), V1
(`layers {{ type: CONVOLUTION }}`) and V2 (`layer {{ type: "Convolution" }}`), and whether there is an Input layer.
A fork's own types are those that it registers and BVLC's Caffe of 2020 does not.

| fork | repository | as of | reads | types of its own |
|---|---|---|---|---|
"""

_EXAMPLE = """layer {
  name: "n" type: "Normalize" bottom: "x" top: "y"
  norm_param { across_spatial: false }
}
"""


def made() -> str:
    """The page."""
    text = _HEAD.format(count=len(forks()), net=_EXAMPLE, said=_said())
    for fork in sorted(forks(), key=lambda fork: (fork.name != "bvlc", fork.name)):
        cells = (f"`{fork.name}`", _where(fork), fork.date or "unknown", _formats(fork), _own(fork))
        text += f"| {' | '.join(cells)} |\n"
    return text


def _said() -> str:
    found = fit(parse(_EXAMPLE))
    return as_text(Source("net.prototxt", _EXAMPLE.encode()), found)


def _where(fork: Fork) -> str:
    if not fork.repository:
        return "unknown"
    return fork.repository + (f", {fork.ref}" if fork.ref else "")


def _formats(fork: Fork) -> str:
    schema = load()
    bit = schema.bit(fork.name)
    layers = ("LayerConnection", "V1LayerParameter", "LayerParameter")
    formats = {
        "V0": any(_has(schema, message, "layer", bit) for message in layers),
        "V1": any(_has(schema, message, "type", bit, "enum") for message in layers),
        "V2": _has(schema, "NetParameter", "layer", bit),
        "Input": _has(schema, "LayerParameter", "input_param", bit),
    }
    return ", ".join(name for name, is_read in formats.items() if is_read)


def _has(schema: Schema, message: str, field: str, bit: int, kind: str = "") -> bool:
    variants = schema.messages.get(message, {}).get(field, ())
    return any(variant.forks & bit and kind in ("", variant.kind) for variant in variants)


def _own(fork: Fork) -> str:
    bit, bvlc = load().bit(fork.name), load().bit("bvlc")
    of_bvlc = {*names(Kind.LAYER, bvlc), *V1_TYPES}
    own = [
        name for form in (Form.STRING, Form.ENUM) for name in names(Kind.LAYER, bit, form) if name not in of_bvlc
    ]
    shown = ", ".join(own[:_SHOWN]) + (f" and {len(own) - _SHOWN} more" if len(own) > _SHOWN else "")
    return shown if known(Kind.LAYER) & bit else f"{shown}; the rest was not read" if own else "not read"


if __name__ == "__main__":
    PAGE.write_text(made(), encoding="utf-8")
