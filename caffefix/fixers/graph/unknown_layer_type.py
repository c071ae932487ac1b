"""A layer type that Caffe does not register: misspelt, from a fork, or unknown everywhere.

## What it finds

`type: "Relu"`, `"Batchnorm"`, `"Convolutoin"`: a type that no known Caffe registers and that is one of
BVLC's except for case or a typing error: a letter added, left out, changed or swapped with its neighbour
(two such errors in a name of ten letters or more; none in a name of fewer than seven).

Also, as notes, in files that BVLC's parser accepts: a type that only forks register (`"ReLU6"`), with the
names of the forks, and a type of which no known fork registers either the name or a similar one
(`"FancyAttention"`). With `--dialect FORK`, or a log that shows which fork the file is for, a type that
this fork does not register is an error.

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

Safe where there is a single nearest name, the type reads the parameter messages that the layer has, and
Caffe then sets the layer up: the old net could not be built. `type: "data"` with an `input_param` is not a
`"Data"` layer, which would need a database: where only one type reads the message that is present, that
type is offered, and the fix is unsafe. A layer that lacks what the type needs, or whose bottoms do not fit
the type, is reported without a fix. A misspelt fork type has no fix either, because what the fork's layers
need is not known.

## When it is a false alarm

For a Caffe of your own that registers such a type, if its source is not in the file's repository. The types
that forks register come from 142 Caffes; what other forks (converters) register is unknown, and nothing is
reported about it. A name with an extra word or letter at its end, or with other digits (`ConvolutionFixed`,
`Sigmoids`, `Pooling3D`), is not treated as a misspelling, and files that BVLC's parser does not accept are
not reported, because they are for a fork.

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
_LOOKED_UP = 64  # types of a file for which a near name is searched for: nobody misspells more


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A layer of a type that the Caffe in question does not register.

    Attributes:
        net: the index of its net.
        index: its own, among the net's layers.
        layer: the layer.
        node: its type.
        near: the registered types that it may be a misspelling of.
        right: BVLC's type that reads what the layer has: usually the near one; empty if no type or several do.
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
    """One finding for each misspelt layer and one for each other type, in files that BVLC's parser accepts."""
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
            yield _Unknown(net=number, index=index, layer=layer, node=node, near=(), right="")


def _with_near(unknown: Iterable[_Unknown], caffe: Asked) -> list[_Unknown]:
    """The same with the names that they are misspellings of: BVLC's, or those of the requested fork.

    A type that a fork registers is not a misspelling, unless another fork is requested.
    """
    near: dict[str, tuple[str, ...]] = {}
    found = []
    for item in unknown:
        word = item.layer.type
        if word not in near and len(near) < _LOOKED_UP and (caffe.fork or not caffe.having(word)):
            near[word] = nearest(word, caffe.names())
        alike = near.get(word, ())
        right = _right(word, alike, messages(item.layer), caffe)
        found.append(
            _Unknown(net=item.net, index=item.index, layer=item.layer, node=item.node, near=alike, right=right)
        )
    return found


def _right(word: str, near: Sequence[str], given: Sequence[str], caffe: Asked) -> str:
    """BVLC's type that is meant; where only the letters match, the type that reads what is given."""
    if len(near) != 1 or not registering(Kind.LAYER, near[0]) & load().bit("bvlc"):
        return ""
    if reads(near[0], given):
        return near[0]
    if near[0].lower() != word.lower():
        return ""
    readers = list(reading(given))
    return readers[0] if len(readers) == 1 and caffe.has(readers[0]) else ""


def _troubles(subject: Subject, found: Sequence[_Unknown]) -> dict[int, str]:
    """Why Caffe would still not set up a layer once all of the types are corrected."""
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
        return "the layer has too many or too few bottoms or tops for it"
    key = item.net, frozenset(layer.stages)
    if key not in aborts:
        aborts[key] = _aborts(net, layer.stages)
    said = aborts[key].get(id(layer))
    return f'Caffe then aborts with "{said}"' if said is not None else ""


def _aborts(net: Net, stages: frozenset[str]) -> dict[int, str]:
    """Caffe's messages about layers whose shapes do not match, in either phase, by identity of the layer."""
    found: dict[int, str] = {}
    for phase in Phase:
        for problem in infer(graph(net, phase, stages), net, phase).problems:
            found.setdefault(id(problem.layer), problem.message)
    return found


def _misspelt(item: _Unknown, trouble: str, caffe: Asked) -> Finding:
    layer, right, near = item.layer, item.right, item.near[0]
    what = caffe.aborts(layer.type)
    if near.lower() == layer.type.lower():
        what += ", because case matters"
    fix = None
    if len(item.near) > 1 or not registering(Kind.LAYER, near) & load().bit("bvlc"):
        message = f"{what}; the nearest is {' or '.join(item.near[:_NAMED])}"
    elif not right or trouble:
        hint = trouble or f"it does not read {' and '.join(_unread(item))}, which the layer has"
        message = f'{what}; "{right or near}" is not written, because {hint}'
    elif right == near:
        message = f'{what}; writes "{right}"'
        fix = Fix((item.edit,), Applicability.SAFE, f"{layer.type} → {right}")
    else:
        unread = " and ".join(_unread(item))
        message = f'{what}; "{near}" does not read {unread}, which the layer has: writes "{right}", which does'
        fix = Fix((item.edit,), Applicability.UNSAFE, f"{layer.type} → {right}")
    return Finding(NAME, Severity.ERROR, message, item.node, layer=layer.name, fix=fix)


def _unread(item: _Unknown) -> list[str]:
    read = kind_of(item.near[0]).params
    return [name for name in messages(item.layer) if name not in read]
