"""A field exists in Caffe, but not in the message in which it appears.

## What it finds

A field that no known fork has in this message, although another message has it: `num_output` directly in a
layer, `lr_mult` outside `param`, `std` next to a filler.

## Why it matters

The parser stops at the field, and nothing is loaded: `Message type "caffe.LayerParameter" has no field
named "num_output"`.

## Example

```
 layer {
   name: "conv1"
   type: "Convolution"
   bottom: "data"
   top: "conv1"
-  num_output: 96
   convolution_param {
+    num_output: 96
     kernel_size: 11
   }
 }
```

## Fix safety

No fix: the finding only names the messages that have the field.

## When it is a false alarm

For an unknown fork. Where the field does not belong to a message around this one, inside it, or next to it
in the file, the finding is a note (`--notes`): forks use the same words for fields of their own. The
finding is also a note where forks have the field in this very message but do not accept the message at this
place (SegNet's `bn_mode` in a V1 layer): another version of them may have both.

## References

- protobuf, `src/google/protobuf/text_format.cc`, `ConsumeField`
- the `caffe.proto` of 159 forks, `caffefix/caffe/data/fields.tsv`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.schema import Schema
from caffefix.caffe.typecheck import Kind, Problem
from caffefix.findings import UNLOADABLE, Finding, Pass, Subject
from caffefix.fixers._layers import listed
from caffefix.fixers._parameters import asked_for
from caffefix.fixers._schema import finding, having, is_near, universal

PASS = Pass.UPGRADE
CHANGES = (UNLOADABLE,)
SIGNS = (Kind.UNKNOWN_FIELD.value,)
NAME = "misplaced-field"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each field."""
    schema = subject.caffes.schema
    told = set()
    for problem in universal(subject, Kind.UNKNOWN_FIELD):
        if schema.holders(problem.node.name):
            if (
                problem.node.name in _LAYERS and subject.own
            ):  # a format that this Caffe does not have: reported once for all layers
                if problem.node.name in told:
                    continue
                told.add(problem.node.name)
            asked = asked_for(problem)
            message = _message(schema, subject, problem, asked)
            yield finding(NAME, subject, problem, message, likely=bool(asked))


_LAYERS = ("layer", "layers")
_MANY = 1000  # fields of a message; real ones have 200


def _message(schema: Schema, subject: Subject, problem: Problem, asked: str) -> str:
    """What is wrong, what Caffe does, and where the field belongs."""
    name, near = problem.node.name, is_near(problem)
    who = f"{subject.caffes.who} has no such field" if subject.own else "no known fork has it"
    what = f'"{name}" appears in {problem.message}, where {who}: the parser stops here; '
    if asked:
        return f'{what}the message that the type reads is called "{asked}"'
    forks, places = listed(having(problem)), _places(schema, subject.own, problem)
    if subject.own and forks:
        where = f"not a field of {problem.message} in {subject.caffes.who}, only in {forks}"
        return f'"{name}" is {where}: the parser stops here'
    is_of_layer = problem.message == "LayerParameter" and not subject.named  # (see ``is_foreign``)
    if near or not forks or (is_of_layer and places):
        return f"{what}{'it belongs to' if near else 'others have it:'} {', '.join(places)}"
    if dialect := subject.options.dialect:
        return (
            f'"{name}" is not a field of {problem.message} in {dialect}: the parser stops here; known in {forks}'
        )
    return (
        f'"{name}" is a field of {problem.message} only in {forks}, whose parsers refuse what is around it: '
        "valid only for an unknown version of them"
    )


def _places(schema: Schema, own: int, problem: Problem) -> list[str]:
    """Where the field belongs, in the repository's own Caffe or in BVLC's: fields of this message first, by the
    names that a file uses.
    """
    bvlc = own or schema.bit("bvlc")
    everywhere = [name for name in schema.holders(problem.node.name) if name != problem.message]
    of_bvlc = [m for m in everywhere if any(v.forks & bvlc for v in schema.messages[m][problem.node.name])]
    holders = of_bvlc or everywhere
    inside = any(node.name in ("layer", "layers") for node in list(problem.node.ancestors())[1:])
    of_layers = schema.messages.get("LayerParameter", {}).get(problem.node.name, ())
    if inside and is_near(problem) and any(variant.forks & bvlc for variant in of_layers):
        return ["the layer around it"]
    fields = schema.messages.get(problem.message, {})
    if len(fields) > _MANY:
        return sorted(holders)[:3]
    wanted = frozenset(holders)
    inner = [
        f"{name} {{ … }}"
        for name, variants in fields.items()
        if any(variant.type in wanted and variant.forks & bvlc for variant in variants)
    ]
    parent = problem.node.parent
    present = [place for place in inner if parent is not None and parent.has(place.split(" ")[0])]
    return (present or inner or sorted(holders))[:3]
