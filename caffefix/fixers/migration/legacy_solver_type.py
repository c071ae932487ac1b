"""The solver's method is set with `solver_type: ADAM` instead of `type: "Adam"`.

## What it finds

A solver with the `solver_type` used before 2015-09, by name or by number.

## Why it matters

Caffe rewrites the field each time it loads the solver. If both fields are present, Caffe aborts: `Failed to
upgrade solver: old solver_type field (enum) and new type field (string) cannot be both specified in solver
proto text`.

## Example

```
-solver_type: ADAGRAD
+type: "AdaGrad"
```

## Fix safety

Safe: the result is what Caffe's own upgrade produces. If both fields are present, there is a fix only if
they agree: the old field is deleted.

## When it is a false alarm

For forks from before 2015-09: use `--target caffe-old`.

## References

- BVLC Caffe, `src/caffe/util/upgrade_proto.cpp`, `UpgradeSolverType`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.roles import Role, file_role
from caffefix.caffe.schema import load
from caffefix.findings import OLD_CAFFE, UNLOADABLE, Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.syntax.edits import Delete, Edit, Rename, Replace
from caffefix.syntax.scalars import integer_value, string_value

PASS = Pass.UPGRADE
CHANGES = (UNLOADABLE,)
SIGNS = ("solver_type",)
NAME = "legacy-solver-type"

_TYPES = {"SGD": "SGD", "NESTEROV": "Nesterov", "ADAGRAD": "AdaGrad", "RMSPROP": "RMSProp"}
_TYPES |= {"ADADELTA": "AdaDelta", "ADAM": "Adam"}


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver."""
    if subject.options.target == OLD_CAFFE or file_role(subject.document) is not Role.SOLVER:
        return
    if not any(variant.forks & subject.forks for variant in load().messages["SolverParameter"]["type"]):
        return  # the only field that this fork knows
    if not subject.knows("SolverParameter", "type"):
        return
    nodes = list(subject.document.root.fields("solver_type"))
    if len(nodes) != 1 or nodes[0].in_list or nodes[0].is_message:
        return
    node = nodes[0]
    number = integer_value(node.value)
    names = list(_TYPES.values())
    name = _TYPES.get(node.value) if number is None else dict(enumerate(names)).get(number)
    if name is None:
        return  # a fork's method
    new = subject.document.root.field("type")
    edits: tuple[Edit, ...]
    if new is None:
        message = "solver_type is the old field for the method, which Caffe rewrites at each load"
        edits = (Rename(node, "type"), Replace(node, f'"{name}"'))
        fix = Fix(edits, Applicability.SAFE, f'type: "{name}"')
        yield Finding(NAME, Severity.WARNING, f'{message}; writes type: "{name}"', node, layer="", fix=fix)
        return
    message = f"solver_type and type: {new.value} are both given, so Caffe aborts"
    if string_value(new.value) == name:
        fix = Fix((Delete(node),), Applicability.SAFE, "delete solver_type")
        yield Finding(
            NAME, Severity.ERROR, f"{message}; deletes the old one, which says the same", node, layer="", fix=fix
        )
    else:
        yield Finding(NAME, Severity.ERROR, f"{message}; delete the one that is not meant", node)
