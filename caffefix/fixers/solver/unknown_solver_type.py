"""The solver has a type that Caffe does not have.

## What it finds

`type` with a name other than `SGD`, `Nesterov`, `AdaGrad`, `RMSProp`, `AdaDelta` and `Adam`.

## Why it matters

Caffe aborts when it creates the solver: `Unknown solver type: adam (known types: AdaDelta, AdaGrad, Adam,
Nesterov, RMSProp, SGD)`. Case matters, and the names of the old `solver_type` (`ADAM`) differ from those of
`type`.

## Example

```
-type: "ADAM"
+type: "Adam"
```

## Fix safety

Safe: the solver could not be created. There is a fix if exactly one method has the same spelling except for
case or one letter.

## When it is a false alarm

Forks have methods of their own (NVIDIA's `SAG`, `AdamW`, …): a solver with a fork-specific field is not
reported, and a name that resembles none of Caffe's is only a note, which says which forks have it. With
`--dialect FORK`, a type that this fork does not register is an error.

## References

- BVLC Caffe, `include/caffe/solver_factory.hpp`, `CreateSolver`
- what 131 Caffes register, `caffefix/caffe/data/solvers.tsv`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.registry import Kind
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._registered import asked
from caffefix.fixers._schema import respelling, respelt
from caffefix.syntax.scalars import is_string, string_value

PASS = Pass.REPAIR
CHANGES = ("type",)
SIGNS = ("solver",)
NAME = "unknown-solver-type"
VALUES = True

# One letter from Adam, but methods in their own right, although no known fork has them.
_OF_FORKS = frozenset(("adamw", "nadam", "adamax"))


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver."""
    solver = subject.solver
    caffe = asked(subject, Kind.SOLVER)
    node = solver.node.field("type") if solver is not None and (caffe.fork or solver.is_plain) else None
    if node is None or not is_string(node.value):
        return
    name = string_value(node.value)
    if caffe.has(name):
        return
    is_right = caffe.having(name) or name.lower() in _OF_FORKS
    near = None if is_right else respelling(name, caffe.names())
    if near is None:
        yield caffe.unregistered(NAME, name, node)
        return
    fix = respelt(node, near, f"type {name} → {near}")
    does = "writes" if fix else "it should be"
    yield Finding(NAME, Severity.ERROR, f'{caffe.aborts(name)}; {does} "{near}"', node, layer="", fix=fix)
