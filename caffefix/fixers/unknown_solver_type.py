"""The solver's type is one that Caffe does not have.

## What it finds

`type` with a name that is none of `SGD`, `Nesterov`, `AdaGrad`, `RMSProp`, `AdaDelta`, `Adam`.

## Why it matters

Caffe aborts when it makes the solver: `Unknown solver type: adam (known types: AdaDelta, AdaGrad,
Adam, Nesterov, RMSProp, SGD)`. Case matters, and the names of the old `solver_type` (`ADAM`) are
not those of `type`.

## Example

```
-type: "ADAM"
+type: "Adam"
```

## Fix safety

Safe: the solver could not be made. There is a fix where exactly one method is spelt the same but
for case or for one letter.

## When it is a false alarm

Forks have methods of their own (`AdamW`, …): a solver with a field of a fork is left alone, and a
name that resembles none of Caffe's is only a note.

## References

- BVLC Caffe, `include/caffe/solver_factory.hpp`, `CreateSolver`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.solver import METHODS
from caffefix.findings import Finding, Phase, Severity, Subject
from caffefix.fixers._schema import respelling, respelt
from caffefix.syntax.scalars import is_string, string_value

PHASE = Phase.REPAIR
GROUP = "Solver"
CHANGES = ("type",)
SIGNS = ("solver",)
NAME = "unknown-solver-type"
VALUES = True

# One letter from Adam, and methods all the same.
_OF_FORKS = frozenset(("AdamW", "Nadam", "AdaMax"))


def find(subject: Subject) -> Iterator[Finding]:
    """One finding a solver."""
    solver = subject.solver
    node = solver.node.field("type") if solver is not None and solver.is_plain else None
    if node is None or not is_string(node.value):
        return
    name = string_value(node.value)
    if name in METHODS:
        return
    abort = f'Caffe aborts with "Unknown solver type: {name}"'
    near = None if name.lower() in {fork.lower() for fork in _OF_FORKS} else respelling(name, METHODS)
    if near is None:
        yield Finding(
            NAME, Severity.INFO, f"{abort}, unless your fork has it; Caffe's are {', '.join(METHODS)}", node
        )
        return
    fix = respelt(node, near, f"type {name} → {near}")
    does = "writes" if fix else "it should be"
    yield Finding(NAME, Severity.ERROR, f'{abort}; {does} "{near}"', node, "", fix)
