"""The weight decay is so large that it wears the weights away.

## What it finds

An SGD or Nesterov solver with a `weight_decay` of 0.1 or more (L2), at which a weight without a gradient
would shrink to about a third within 5000 iterations.

## Why it matters

At each update Caffe adds `weight_decay · decay_mult · w` to a weight's gradient. With momentum, this adds
up to `base_lr · weight_decay / (1 − momentum)` of each weight per iteration. In AlexNet (0.01, 0.0005, 0.9)
a weight loses two thirds in 20000 iterations; with a decay of 0.5 it does so in 20. Whatever the data teach
is undone as fast, weights go to zero, and the loss stays near chance.

## Example

```
 base_lr: 0.01
 momentum: 0.9
-weight_decay: 0.5
+weight_decay: 0.0005
```

## Fix safety

No fix: the right amount of decay is found by experiment. 0.0001 to 0.005 is usual.

## When it is a false alarm

If the layers of the net set a small `decay_mult` (`weight_decay: 1` in the solver, 0.0005 in each layer).
If the net is in the same folder as the solver and does so, nothing is reported; if the net is not there,
the finding is a note. Solvers with fork-specific fields are not reported: in some forks the decay is not
part of the gradient.

## References

- BVLC Caffe, `src/caffe/solvers/sgd_solver.cpp`, `Regularize` and `ComputeUpdateValue`
- Krizhevsky, Sutskever and Hinton 2012 (AlexNet)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Layer, Net
from caffefix.caffe.solver import Solver
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.syntax.scalars import number_value, string_value

PASS = Pass.TUNE
SIGNS = ("weight_decay",)
NAME = "huge-weight-decay"
NEEDS_FAMILY = True  # the net next to the solver may offset the decay

_HUGE = 0.1
_SOON = 5000  # ResNet's weights take 10000 iterations, AlexNet's 20000


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver."""
    solver = subject.solver
    if solver is None or not solver.is_plain or solver.method not in ("SGD", "Nesterov"):
        return
    where = solver.node.field("weight_decay")
    momentum = solver.number("momentum")
    if where is None or solver.number("weight_decay") < _HUGE or not 0 <= momentum < 1:
        return
    if (solver.node.string("regularization_type") or "L2") != "L2":
        return
    net = _net(subject, solver)
    if net is not None and any(map(_decays_less, net.layers)):
        return
    lost = solver.number("base_lr") * solver.number("weight_decay") / (1 - momentum)  # of a weight per iteration
    if lost * _SOON < 1:
        return
    message = (
        f"weight_decay {where.value} alone removes two thirds of each weight in {_some(1 / lost)} at base_lr "
        "(0.0005 is usual); use a smaller value, unless the net's decay_mult are as small"
    )
    yield Finding(NAME, Severity.INFO if net is None else Severity.WARNING, message, where)


def _net(subject: Subject, solver: Solver) -> Net | None:
    """The net that the solver trains, if it is inside the solver, or in the same folder under the given name."""
    if subject.nets:
        return subject.nets[0]
    names = {string_value(node.value).rpartition("/")[2] for node in solver.net_paths() if node.name != "test_net"}
    return next((member.net for member in subject.family.siblings if member.name in names), None)


def _decays_less(layer: Layer) -> bool:
    """Whether a layer's weights have a ``decay_mult`` below 1."""
    specs = [node.scalar("decay_mult") for node in layer.node.fields("param") if node.is_message]
    given = [*specs[:1], *layer.node.scalars("weight_decay")[:1]]
    return any(number is not None and number < 1 for number in map(number_value, filter(None, given)))


def _some(iterations: float) -> str:
    return f"{round(iterations)} iterations" if iterations >= 2 else "one or two iterations"
