"""A layer type that Caffe does not register: misspelt, a fork's, or nobody's.

## What it finds

`type: "Relu"`, `"Batchnorm"`, `"Convolutoin"`: a type that no known Caffe registers, and that is one of
BVLC's but for case or for a slip: a letter added, left out, changed or swapped with its neighbour (two
in a name of ten letters or more; none in one below seven).

Also, as notes, in files that BVLC's parser takes: a type that only forks register (`"ReLU6"`), with their
names, and one that no known fork registers, nor one like it (`"FancyAttention"`). With `--dialect FORK`, or a
log that shows which fork it is, a type that this fork does not register is an error.

## Why it matters

The file parses, but Caffe aborts when it builds the net: `Unknown layer type: Relu (known types:
AbsVal, Accuracy, …)`.

## Example

```
 layer {
   name: "relu1"
-  type: "Relu"
+  type: "ReLU"
   bottom: "conv1"
   top: "relu1"
 }
```

## Fix safety

Safe, where one name alone is nearest, the type reads the messages of parameters that the layer has, and
Caffe then sets the layer up: the old net could not be built. `type: "data"` beside `input_param` is no `"Data"`
layer, which would ask for a database: where one type alone reads the message that is there, this type is
offered, and the fix is unsafe. A layer that lacks what the type needs, or that does not fit its
bottoms with it, is shown without a fix. For a slip in a fork's type there is no fix either: what its
layers need is not known.

## When it is a false alarm

For a Caffe of your own that registers such a type, if it does not lie in the file's repository. What
forks register is read of 142 Caffes; of the others (converters) it is unknown, and nothing is said. A
name with a word or a letter more at its end, or with other digits (`ConvolutionFixed`, `Sigmoids`,
`Pooling3D`), is no slip, and every file that BVLC's parser does not take is left alone, because it is
some fork's.

## References

- BVLC Caffe, `include/caffe/layer_factory.hpp`, `CreateLayer`
- what 142 Caffes register, `caffefix/caffe/data/layers.tsv`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.graph import graph
from caffefix.caffe.layers.book import kind_of
from caffefix.caffe.layers.params import lacks, messages, reading, reads
from caffefix.caffe.nearest import nearest
from caffefix.caffe.net import Generation, Layer, Net, Phase
from caffefix.caffe.registry import Kind, registering
from caffefix.caffe.roles import Role
from caffefix.caffe.schema import load
from caffefix.caffe.shapes import infer
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._registered import Asked, asked
from caffefix.fixers.graph.wrong_blob_count import miscounted
from caffefix.syntax.edits import Replace
from caffefix.syntax.lowering import apply, lower
from caffefix.syntax.parse import parse
from caffefix.syntax.scalars import is_string
from caffefix.syntax.tree import Node

PASS = Pass.UPGRADE
CHANGES = ("layer.type",)
NAME = "unknown-layer-type"
VALUES = True

_NAMED = 3  # near names in a message
_LOOKED_UP = 64  # types of a file for which a near name is looked for: nobody misspells more


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A layer of a type that the Caffe in question does not register.

    Attributes:
        net: the index of its net.
        index: its own, among the net's layers.
        layer: the layer.
        node: its type.
        near: the registered types that it may be a slip of.
        right: BVLC's type that reads what the layer has: mostly the near one; empty if none does, or several.
    """

    net: int
    index: int
    layer: Layer
    node: Node
    near: tuple[str, ...]
    right: str

    @property
    def edit(self) -> Replace:
        quote = self.node.value[0]
        return Replace(self.node, f"{quote}{self.right}{quote}")


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each misspelt layer and one for each other type, in files that BVLC's parser takes."""
    caffe = asked(subject, Kind.LAYER)
    if not (subject.named or subject.forks) & caffe.judging & subject.caffes.known(Kind.LAYER):
        return
    unknown = [item for number, net in enumerate(subject.nets) for item in _unknown(number, net, caffe)]
    found = _with_near(unknown, caffe)
    troubles = _troubles(subject, [item for item in found if item.right])
    told: set[str] = set()
    for item in found:
        if item.near:
            yield _misspelt(item, troubles.get(id(item), ""), caffe)
        elif item.layer.type not in told:
            told.add(item.layer.type)
            yield caffe.unregistered(NAME, item.layer.type, item.node, item.layer.name)


def _unknown(number: int, net: Net, caffe: Asked) -> Iterator[_Unknown]:
    """The layers of types that the Caffe in question does not register."""
    for index, layer in enumerate(net.layers):
        if layer.generation is not Generation.V2 or caffe.has(layer.type):
            continue
        node = layer.node.field("type")
        if node is not None and is_string(node.value) and layer.type:
            yield _Unknown(number, index, layer, node, (), "")


def _with_near(unknown: Iterable[_Unknown], caffe: Asked) -> list[_Unknown]:
    """The same with the names that they are slips of: BVLC's, or those of the fork that is asked for.

    What a fork registers is no slip, unless another fork is asked for.
    """
    near: dict[str, tuple[str, ...]] = {}
    found = []
    for item in unknown:
        word = item.layer.type
        if word not in near and len(near) < _LOOKED_UP and (caffe.fork or not caffe.having(word)):
            near[word] = nearest(word, caffe.names())
        alike = near.get(word, ())
        right = _right(word, alike, messages(item.layer), caffe)
        found.append(_Unknown(item.net, item.index, item.layer, item.node, alike, right))
    return found


def _right(word: str, near: Sequence[str], given: Sequence[str], caffe: Asked) -> str:
    """BVLC's type that is meant; where its letters alone are right, that which reads what is given."""
    if len(near) != 1 or not registering(Kind.LAYER, near[0]) & load().bit("bvlc"):
        return ""
    if reads(near[0], given):
        return near[0]
    if near[0].lower() != word.lower():
        return ""
    readers = list(reading(given))
    return readers[0] if len(readers) == 1 and caffe.has(readers[0]) else ""


def _troubles(subject: Subject, found: Sequence[_Unknown]) -> dict[int, str]:
    """Why Caffe would still not set up a layer, in the file as it is with all of the types put right."""
    if not found:
        return {}
    document = subject.document
    text = apply(document.text, lower(document, [item.edit for item in found], NAME))
    after = Subject(parse(text), subject.options)
    aborts: dict[tuple[int, frozenset[str]], dict[int, str]] = {}
    return {id(item): _trouble(after, after.nets[item.net], item, aborts) for item in found}


def _trouble(
    after: Subject, net: Net, item: _Unknown, aborts: dict[tuple[int, frozenset[str]], dict[int, str]]
) -> str:
    layer = net.layers[item.index]
    needed = lacks(layer.type, messages(layer))
    if needed:
        return f"it needs {needed}"
    if after.role(net) is not Role.SNIPPET and miscounted(layer):
        return "its bottoms and tops are not as many as that type takes"
    key = item.net, frozenset(layer.stages)
    if key not in aborts:
        aborts[key] = _aborts(net, layer.stages)
    said = aborts[key].get(id(layer))
    return f'Caffe then aborts with "{said}"' if said is not None else ""


def _aborts(net: Net, stages: frozenset[str]) -> dict[int, str]:
    """What Caffe says of layers whose shapes do not fit, in either phase, by identity of the layer."""
    found: dict[int, str] = {}
    for phase in Phase:
        for problem in infer(graph(net, phase, stages), net, phase).problems:
            found.setdefault(id(problem.layer), problem.message)
    return found


def _misspelt(item: _Unknown, trouble: str, caffe: Asked) -> Finding:
    layer, right, near = item.layer, item.right, item.near[0]
    what = caffe.aborts(layer.type)
    if near.lower() == layer.type.lower():
        what += ", for case matters"
    fix = None
    if len(item.near) > 1 or not registering(Kind.LAYER, near) & load().bit("bvlc"):
        message = f"{what}; near it comes {' or '.join(item.near[:_NAMED])}"
    elif not right or trouble:
        hint = trouble or f"it does not read {' and '.join(_unread(item))}, which the layer has"
        message = f'{what}; "{right or near}" is not put there, for {hint}'
    elif right == near:
        message = f'{what}; writes "{right}"'
        fix = Fix((item.edit,), Applicability.SAFE, f"{layer.type} → {right}")
    else:
        unread = " and ".join(_unread(item))
        message = f'{what}; "{near}" does not read {unread}, which the layer has: writes "{right}", which does'
        fix = Fix((item.edit,), Applicability.UNSAFE, f"{layer.type} → {right}")
    return Finding(NAME, Severity.ERROR, message, item.node, layer.name, fix)


def _unread(item: _Unknown) -> list[str]:
    read = kind_of(item.near[0]).params
    return [name for name in messages(item.layer) if name not in read]
