"""The solver's lr_policy is missing, or is one that Caffe does not have.

## What it finds

A solver without `lr_policy` that says how to train (`base_lr`, `max_iter` or `momentum`), or with a name
that is none of `fixed`, `step`, `exp`, `inv`, `multistep`, `poly`, `sigmoid`.

## Why it matters

The file parses and the nets are built; Caffe aborts at the first update: `Unknown learning rate
policy: Step`. Without the field the name after the colon is empty.

## Example

```
-lr_policy: "Step"
+lr_policy: "step"
```

## Fix safety

Safe: no update could be made. There is a fix where exactly one policy is spelt the same but for
case or for one letter; which one is meant otherwise only you know.

## When it is a false alarm

Forks have policies of their own (`plateau`, `multifixed`, …): a solver with a field of a fork is left
alone, and a name that resembles none of Caffe's is only a note, which says what forks have it. With
`--dialect FORK`, what this fork does not know is an error. Without `base_lr` and
`lr_policy`, both may come from a program: that is a warning.

## References

- BVLC Caffe, `src/caffe/solvers/sgd_solver.cpp`, `GetLearningRate`
- what 139 Caffes know, `caffefix/caffe/data/policies.tsv`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.registry import Kind
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._registered import Asked, asked
from caffefix.fixers._schema import respelling, respelt
from caffefix.syntax.scalars import is_string
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
CHANGES = ("lr_policy",)
SIGNS = ("solver",)
NAME = "unknown-lr-policy"
VALUES = True

# A solver without any of these gets the rest from a program.
_SHOWS_TRAINING = ("base_lr", "max_iter", "momentum")


def find(subject: Subject) -> Iterator[Finding]:
    """One finding a solver."""
    solver = subject.solver
    caffe = asked(subject, Kind.POLICY)
    if solver is None or not (caffe.fork or solver.is_plain):
        return
    node = solver.node.field("lr_policy")
    if node is None:
        where = next(filter(None, map(solver.node.field, _SHOWS_TRAINING)), None)
        if where is not None and solver.train_nets:
            how, hint = Severity.ERROR, 'lr_policy: "fixed" keeps base_lr as it is'
            if not solver.given("base_lr"):  # a program may give both
                how, hint = Severity.WARNING, "give it and base_lr, which is missing, too, and read as 0"
            message = (
                'lr_policy is missing: Caffe aborts at the first update with "Unknown learning rate policy: "; '
            )
            yield Finding(NAME, how, message + hint, where)
    elif is_string(node.value) and not caffe.has(solver.policy):
        yield _unknown(solver.policy, node, caffe)


def _unknown(name: str, node: Node, caffe: Asked) -> Finding:
    near = None if caffe.having(name) else respelling(name, caffe.names())
    if near is None:
        return caffe.unregistered(NAME, name, node)
    fix = respelt(node, near, f"lr_policy {name} → {near}")
    does = "writes" if fix else "it should be"
    return Finding(NAME, Severity.ERROR, f'{caffe.aborts(name)}; {does} "{near}"', node, "", fix)
