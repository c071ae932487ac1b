"""A field that no known fork of Caffe has.

## What it finds

A field whose name none of 159 forks knows, in this message or in any other. A field of a fork is not
reported: `caffefix dialects` names the forks that accept a file.

## Why it matters

The parser stops at the first such field, and nothing is loaded: `Message type
"caffe.LayerParameter" has no field named "botom"`.

## Example

```
 layer {
   name: "relu1"
   type: "ReLU"
-  botom: "conv1"
+  bottom: "conv1"
   top: "conv1"
 }
```

## Fix safety

Safe where exactly one field of that message has the same name except for case or one letter, and some fork
accepts the file after the edit: the old file loaded nowhere. Otherwise the finding only gives the nearest
name, or the message that the layer's type reads and the layer lacks (`convolution_parameters` in a
Convolution); where no name is near, the finding is a note (`--notes`), because real files with such fields
are made for unknown forks.

## When it is a false alarm

For an unknown fork whose field has nearly the same name as another: add the finding to `--ignore` there.
Such a file keeps its fields, because correcting one of them does not make it load in a known fork. With
`--dialect FORK`, a field that this fork does not have is an error.

## References

- protobuf, `src/google/protobuf/text_format.cc`, `ConsumeField`
- the `caffe.proto` of 159 forks, `caffefix/caffe/data/fields.tsv`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.typecheck import Kind, Problem
from caffefix.findings import UNLOADABLE, Finding, Pass, Subject
from caffefix.fixers._parameters import asked_for
from caffefix.fixers._schema import elsewhere, fields, finding, like, loads_with, respelling, safe, universal
from caffefix.syntax.edits import Rename

PASS = Pass.UPGRADE
CHANGES = (UNLOADABLE,)
SIGNS = (Kind.UNKNOWN_FIELD.value,)
NAME = "unknown-field"
_GUESSES = 100  # at most this many different fields of a file are compared with all known ones


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each field."""
    schema = subject.caffes.schema
    unknown = [p for p in universal(subject, Kind.UNKNOWN_FIELD) if not schema.holders(p.node.name)]
    meant = {id(problem): _meant(subject, problem) for problem in unknown}
    edits = [Rename(p.node, name) for p in unknown if (name := meant[id(p)]) is not None]
    mends = bool(edits) and loads_with(subject, edits)
    compared = set(list(dict.fromkeys(p.node.name for p in unknown))[:_GUESSES])
    for problem in unknown:
        name = meant[id(problem)]
        nor = f", nor has {subject.caffes.who}" if subject.own else ""
        what = f'no known fork of Caffe has a field "{problem.node.name}"{nor}'
        if name is not None and mends:
            fix = safe(Rename(problem.node, name), f"{problem.node.name} → {name}", subject)
            yield finding(NAME, subject, problem, f'{what}: the parser stops here; writes "{name}"', fix)
        elif problem.node.name in compared and (near := like(subject, problem.node.name, problem.message)):
            message = f'{what}: the parser stops here; the nearest in {problem.message} is "{near}"'
            yield finding(NAME, subject, problem, message, likely=True)
        elif asked := asked_for(problem):
            message = f'{what}: the parser stops here; the message that its type reads is called "{asked}"'
            yield finding(NAME, subject, problem, message, likely=True)
        elif elsewhere(subject):
            yield finding(NAME, subject, problem, f"{what}, nor one like it: valid only for a fork that has it")
        else:
            yield finding(NAME, subject, problem, f"{what}: the parser stops here")


def _meant(subject: Subject, problem: Problem) -> str | None:
    """The field that was meant, unless it is already present."""
    if problem.node.in_list:
        return None
    name = respelling(problem.node.name, fields(subject, problem.message))
    parent = problem.node.parent
    assert parent is not None
    variants = subject.caffes.schema.messages.get(problem.message, {}).get(name or "", ())
    singular = any(variant.label != "repeated" for variant in variants)
    return None if name is None or (singular and parent.has(name)) else name
