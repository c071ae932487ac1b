"""All convolutions of a net are frozen, although they hold only random numbers.

## What it finds

Train nets in which all convolutions on the way to the loss have learning rates of zero (`lr_mult: 0`, in V1
`blobs_lr: 0`) for weights and bias, while other layers learn. One finding for each convolution.

The files seldom say whether weights are loaded, so the finding is a note (`--notes`), unless something shows
that the net is trained from scratch:

- a log (`--log`) of such training;
- a solver in the same folder that loads no weights, where nothing looks like fine-tuning: `base_lr` is more
  than 0.001, no name mentions it, and several layers after the convolutions learn in a row, not only the last
  one.

## Why it matters

A learning rate of zero leaves a layer unchanged. When weights are loaded, this preserves the features; when a
net is trained from scratch, it preserves what the filler wrote: a classifier is then trained on random
features or, where there was no filler, on zeros. The net loads, and the loss falls a little, so the learning
rates seem to be the problem. Often a net for fine-tuning was copied to train from scratch.

## Example

```
 layer {
   name: "conv1"
   type: "Convolution"
   bottom: "data"
   top: "conv1"
   param {
-    lr_mult: 0
+    lr_mult: 1
   }
   param {
-    lr_mult: 0
+    lr_mult: 1
   }
   convolution_param {
     num_output: 32
     kernel_size: 3
     weight_filler {
       type: "msra"
     }
   }
 }
```

## Fix safety

Unsafe: freezing is right where weights are loaded. Zero rates become 1, Caffe's default, in all
of these layers together.

## When it is a false alarm

When weights are loaded (`--weights`, fine-tuning): use `--ignore frozen-random-layer`, or
`from-scratch = false` for the folder. (`caffe train --weights` is given only on the command line, which no
file shows.) Deconvolution, BatchNorm and Scale layers do not count here: a fixed bilinear upsampling or a
fixed normaliser is intentional. Nets that look like fine-tuning are not reported: those where some
convolutions learn and some do not, where new layers have a rate above 1, with layers of detectors (`Python`,
`ROIPooling`), and, unless a log shows otherwise, those that say so in the name of the net or of a layer
(`fc8-finetune`).

## References

- BVLC Caffe, `src/caffe/net.cpp`, `AppendParam` and `ParamSpec.lr_mult`; `sgd_solver.cpp`
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from caffefix._startup.patterns import pattern
from caffefix._startup.records import dataclass
from caffefix.caffe.graph import Graph, build
from caffefix.caffe.layers.bvlc import is_bvlc_type
from caffefix.caffe.net import Layer, Net, Phase
from caffefix.caffe.roles import LEARNING, loss_stages
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.syntax.edits import Replace
from caffefix.syntax.scalars import number_value, string_value
from caffefix.syntax.tree import Node

PASS = Pass.TUNE
CHANGES = ("layer.param.lr_mult",)
NEEDS_FAMILY = True  # a solver in the same folder may load weights
SIGNS = ("lr_mult", "blobs_lr")
ROLES = LEARNING
NAME = "frozen-random-layer"

_FINE_TUNING = pattern(
    r"fine[-_ ]?tun|transfer|pre[-_ ]?train|freez|froze|(^|[^a-z])(ft|only|fixed)([^a-z]|$)", re.IGNORECASE
)
_SMALL_RATE = 0.001  # the rate in tutorials for fine-tuning; nets are trained from scratch with 0.01 and more


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each frozen convolution; one fix for the whole net."""
    log = subject.options.log
    if not subject.from_scratch or (log is not None and log.loads_weights):
        return
    for net in subject.nets:
        if not subject.learns(net):
            continue
        if not any(_rates(layer) for layer in net.layers if _convolves(layer)):
            continue
        found = _judge(net)
        shown = _anew_by_log(subject, found.frozen)
        if not found.frozen or (found.is_named and not shown):
            continue
        shown = shown or _anew_by_solver(subject, found)
        severity = Severity.WARNING if shown else Severity.INFO
        edits = tuple(Replace(rate, "1") for layer in found.frozen for rate in _rates(layer))
        fix = Fix(edits, Applicability.UNSAFE, f"lr_mult 0 → 1 in {len(found.frozen)} layers")
        for layer in found.frozen:
            yield Finding(NAME, severity, _message(shown), _rates(layer)[0], layer=layer.name, fix=fix)


def _message(shown: str) -> str:
    what = "lr_mult is 0 for weights and bias in every convolution of this net"
    then = "stay random for ever, and only the layers after them learn; sets the rates to 1"
    if shown:
        return f"{what}, and {shown}: they {then} (keep 0 if you load weights)"
    return f"{what}: correct if you load weights; trained from scratch they {then}"


@dataclass(frozen=True, slots=True)
class _Judgement:
    """A net whose convolutions are frozen.

    Attributes:
        frozen: the convolutions that feed a loss, if none of them learns but other layers do.
        is_named: whether a name in the net mentions fine-tuning.
        is_deep: whether a layer that learns feeds another one that learns.
    """

    frozen: tuple[Layer, ...] = ()
    is_named: bool = False
    is_deep: bool = False


def _judge(net: Net) -> _Judgement:
    view = net.view(Phase.TRAIN, loss_stages(net, Phase.TRAIN))
    if any(not is_bvlc_type(layer.type) or layer.type == "Python" for layer in view):
        return _Judgement()
    graph = build(view, net.inputs)
    needed = graph.to_loss()
    feeding = [step.layer for step in graph.steps if any(top.index in needed for top in step.tops)]
    weighted = [layer for layer in feeding if layer.kind.weights and layer.type != "Deconvolution"]
    learning = [layer for layer in weighted if not _is_frozen(layer)]
    if not learning or any(_convolves(layer) or layer.param(0).lr_mult > 1 for layer in learning):
        return _Judgement()
    frozen = tuple(layer for layer in weighted if _convolves(layer))
    names = (net.node.string("name") or "", *(layer.name for layer in view))
    return _Judgement(frozen, any(map(_FINE_TUNING.search, names)), _is_deep(graph, learning))


def _convolves(layer: Layer) -> bool:
    """Whether it is a convolution whose features are learned: in most nets Deconvolutions only upsample."""
    return layer.kind.convolution and layer.type != "Deconvolution"


def _is_deep(graph: Graph, learning: list[Layer]) -> bool:
    """Whether one of the layers reads, possibly through others, what another one produces."""
    behind: set[int] = set()
    for step in graph.steps:
        reads, learns = any(bottom.index in behind for bottom in step.bottoms), step.layer in learning
        if reads and learns:
            return True
        if reads or learns:
            behind.update(top.index for top in step.tops)
    return False


def _anew_by_log(subject: Subject, frozen: Sequence[Layer]) -> str:
    """The words about a log that shows training from scratch; otherwise empty."""
    log = subject.options.log
    if log is None:
        return ""
    if any(layer.name in log.zero_weights for layer in frozen):
        return f"{log.name} shows weights of 0, which no weights file holds"
    return f"{log.name} shows that no weights are loaded" if log.starts_anew else ""


def _anew_by_solver(subject: Subject, found: _Judgement) -> str:
    """The words about a solver that seems to train the net from scratch; otherwise empty."""
    named = [(member.name, member.solver) for member in subject.family.solvers]
    solvers = [("its solver", subject.solver), *named] if subject.solver is not None else named
    for name, solver in solvers:
        if not found.is_deep or solver is None or solver.number("base_lr") <= _SMALL_RATE:
            return ""
        texts = [name, solver.node.string("snapshot_prefix") or ""]
        texts += [string_value(node.value) for node in solver.net_paths()]
        if any(map(_FINE_TUNING.search, texts)):
            return ""
    return f"{solvers[0][0]} loads no weights" if solvers else ""


def _is_frozen(layer: Layer) -> bool:
    blobs = 2 if layer.flag(layer.kind.weights, "bias_term", True) else 1
    return all(layer.param(index).lr_mult == 0 for index in range(blobs))


def _rates(layer: Layer) -> list[Node]:
    """The learning rates of zero in a layer."""
    rates = [node.field("lr_mult") for node in layer.node.fields("param") if node.is_message]
    rates += [node for node in layer.node.fields("blobs_lr") if not node.is_list]
    return [node for node in rates if node is not None and number_value(node.value) == 0]
