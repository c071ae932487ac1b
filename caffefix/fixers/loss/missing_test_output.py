"""Testing prints no figures: the TEST net has no output, because its loss has no top.

## What it finds

Nets with layers of their own for TEST, in whose phase TEST every blob is read by a layer, while a loss has no
`top`. Most of them have no Accuracy layer either.

## Why it matters

During a test Caffe prints the outputs of the net: the blobs that no layer reads. Caffe gives a loss without
`top` a blob that is not among them. Where there is no other output, test after test prints only
`Testing net (#0)`, and nobody sees whether the net learns more than its training images.

## Example

```
 layer {
   name: "loss"
   type: "SoftmaxWithLoss"
   bottom: "fc8"
   bottom: "label"
+  top: "loss"
 }
```

An Accuracy layer for TEST says more: `layer { name: "accuracy" type: "Accuracy" bottom: "fc8" bottom: "label"
top: "accuracy" include { phase: TEST } }`.

## Fix safety

Unsafe: made on request only (`--unsafe`, or `--select missing-test-output`), because it gives the net an
output that it did not have. The net computes the same, and trains in the same way. The finding is a note,
shown with `--notes`.

## When it is a false alarm

When the solver does not test, or a program reads the blobs that it needs by itself.

## References

- BVLC Caffe, `src/caffe/net.cpp`, `Net::AppendTop` and `net_output_blobs_`; `src/caffe/solver.cpp`, `Solver::Test`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Layer, Net, Phase
from caffefix.caffe.roles import Role
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._views import View, subjects, views
from caffefix.syntax.edits import After, Insert, NewField

PASS = Pass.TUNE
CHANGES = ("layer.top",)
NAME = "missing-test-output"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each net, at its last loss without a top."""
    for net in subjects(subject):
        if subject.role(net) is not Role.TRAIN_VAL:
            continue
        tested = [view for view in views(net) if view.phase is Phase.TEST]
        if not tested or any(next(view.graph.ends(), None) is not None for view in tested):
            continue
        loss = _loss(tested)
        if loss is not None:
            yield _finding(net, loss)


def _loss(tested: list[View]) -> Layer | None:
    """The last loss without a top, of the first view that has one."""
    for view in tested:
        found = [step.layer for step in view.graph.steps if step.layer.kind.loss and not step.layer.tops]
        if found:
            return found[-1]
    return None


def _finding(net: Net, loss: Layer) -> Finding:
    message = "phase TEST has no output, because its loss has no top: testing prints no figures"
    taken = {top for layer in net.layers for top in layer.tops}
    name = next((name for name in ("loss", loss.name, "test_loss") if name and name not in taken), "")
    last = [node for node in loss.node.fields("bottom") if not node.in_list]
    if not name or not last:
        return Finding(NAME, Severity.INFO, f"{message}; add a top", loss.node, loss.name)
    edit = Insert(After(last[-1]), (NewField("top", name, string=True),))
    fix = Fix((edit,), Applicability.UNSAFE, f'top: "{name}"')
    return Finding(NAME, Severity.INFO, f'{message}; adds top: "{name}"', loss.node, layer=loss.name, fix=fix)
