"""Weights start at zero for lack of a weight_filler, and layers can never learn because of it.

## What it finds

Convolution, Deconvolution, InnerProduct, Embed and recurrent layers without a `weight_filler` (or with an
explicit `constant` one of value 0) in a train net that is dead because of them: by exact analysis some
weights can never receive a gradient. A zero weight passes no gradient down, and neither does a ReLU whose
input is exactly zero. In a snippet of a net, whose surroundings are unknown, each such layer is reported.

Where the layers next to the data have no filler (three layers or more in all) and later layers have one, the
net is made for fine-tuning: the first are the backbone, whose weights are loaded, and the others are new.
Such a net gets a single finding, a warning at the first of its layers without a filler.

## Why it matters

Caffe fills weights with the constant 0 unless a filler says otherwise. The net loads, runs, prints a loss,
and the loss may even fall at first, because the last bias learns the share of each label; nothing else ever
changes. In a `debug_info` log such layers show `data: 0`.

## Example

```
 convolution_param {
   num_output: 256
   kernel_size: 5
+  weight_filler {
+    type: "xavier"
+  }
 }
```

## Fix safety

Safe: the old net could provably never learn, and a filler has no effect on weights that are loaded from a
file. In a net made for fine-tuning the edit is unsafe, so it is made on request only (`--unsafe`, or
`--select missing-weight-filler`): nobody starts such a net from fillers, and its files are left unchanged.
All layers of the diagnosis are filled together, including the last one.

The filler is `msra` where the input is scaled to about 1 or a BatchNorm is in between, and `xavier`
otherwise, unless the signals predicted with it (`caffefix signal`) are out of the range in which nets learn
and those of the other filler are nearer; and `bilinear` for a Deconvolution that upsamples each channel by
itself. A frozen Deconvolution (`lr_mult: 0`) of that shape without a group for each channel is reported and
left unchanged: it needs a program that writes its weights (net surgery, as in FCN's `solve.py`), and no
filler can replace that. In such a net a score layer that may start at zero stays at zero. No `bias_filler` is
added: zero is a good start for a bias. An explicit zero filler may be intended; it is replaced only where
layers stay dead otherwise.

## When it is a false alarm

When all weights are loaded (`--weights`, fine-tuning, net surgery): zero weights are harmless then, and
`from-scratch = false` in the configuration (or `--ignore missing-weight-filler`) turns the finding off. A net
whose solver, in the same folder, names `weights` is not reported, nor is a net without any filler that reads
data called `val` or `test`. With `--log TRAIN.LOG` the log decides: layers that it shows with other weights,
or that load theirs, are not reported. A net in which only the last layer starts at zero learns, as does one
where a leaky activation or a bias lets gradients through; neither is reported.

## What the forums say

- "Restart until it learns", "lower the rate". Zeros are the same at every start, and stay zeros at any rate.
- "`debug_info` prints L2 norms." It prints mean absolute values (see `vanishing-signal`); a 0 is a 0 in both.

## References

- BVLC Caffe, `include/caffe/filler.hpp`, `src/caffe/layers/base_conv_layer.cpp`,
  `relu_layer.cpp` (derivative 0 at 0)
- Glorot and Bengio 2010 (xavier); He et al. 2015, arXiv:1502.01852 (msra)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.fillers import FillerSpec
from caffefix.caffe.layers.zeros import is_zero_filled
from caffefix.caffe.net import Filler, Layer, Net, Phase
from caffefix.caffe.registry import Kind as Registered
from caffefix.caffe.roles import LEARNING, SNIPPET, Role, loss_stages
from caffefix.evidence.liveness import dead_weights
from caffefix.evidence.signal import predict
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers.initialisation._fillers import Chooser, fill, is_made_for_weights
from caffefix.fixers.initialisation._log import not_refuted, seen_zero
from caffefix.fixers.initialisation._signals import distance
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
CHANGES = ("layer.*_param.weight_filler",)
ROLES = (*LEARNING, SNIPPET)
NAME = "missing-weight-filler"

_MOST = 100  # layers that are judged one by one, each by analysing the whole net

_KINDS = ("xavier", "msra")
_UPSAMPLES = (
    "no filler makes it upsample, because it is frozen and has no group for each channel: have a program write "
    "its bilinear weights, or set group = num_output and a bilinear filler"
)
NEEDS_FAMILY = True  # a solver in the same folder may load weights


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer to fill, and one fix for the whole net."""
    if not subject.from_scratch:
        return
    for net in subject.nets:
        role = subject.role(net)
        learns = subject.learns(net)
        if not learns and role is not Role.SNIPPET:
            continue
        view = net.view(Phase.TRAIN, loss_stages(net, Phase.TRAIN))
        zero = [layer for layer in _owners(view) if is_zero_filled(layer)]
        if not zero:
            continue
        found = list(_judge(subject, net, view, zero, learns))
        silent = {id(f.node) for f in found if subject.suppresses(NAME, f.node)}
        if silent and found[0].applicability is not Applicability.UNSAFE:
            # those stay at zero; whether filling the others revives anything is a separate question
            rest = [layer for layer in zero if id(_place_of(layer)) not in silent]
            found = [f for f in found if id(f.node) in silent] + list(_judge(subject, net, view, rest, learns))
        yield from found


def _judge(subject: Subject, net: Net, view: list[Layer], zero: list[Layer], learns: bool) -> Iterator[Finding]:
    """Findings for the zero-filled layers that are to be filled, and the fix that they share."""
    missing = [layer for layer in zero if _filler(layer).node is None]
    if learns:
        zero, revived = _diagnose(view, missing, [layer for layer in zero if _filler(layer).node is not None])
        why = f"{_some([layer.name for layer in revived])} can never learn"
    else:
        zero, why = missing, "the layer by itself passes no gradient down"
    zero = not_refuted(subject, zero)
    if not zero:
        return
    chooser = Chooser(view)
    kinds = _choose(subject, net, chooser, zero, learns)
    if learns and is_made_for_weights(view, missing) and not any(seen_zero(subject, layer) for layer in zero):
        yield from _for_weights(subject, zero, kinds, chooser)
        return
    filled = [layer for layer in zero if not chooser.is_for_a_program(layer)]
    if len(filled) < len(zero):
        filled = _needed(view, zero, filled)
    edits = tuple(edit for layer in filled for edit in fill(layer, kinds[id(layer)]))
    is_filled = set(filled).__contains__
    fix = Fix(edits, Applicability.SAFE, f"add weight_filler to {len(filled)} layers")
    for layer in zero:
        if not is_filled(layer) and not chooser.is_for_a_program(layer):
            continue
        message = f"{_lack(layer)}, so Caffe starts its weights at zero and {why}; "
        if not is_filled(layer):
            yield Finding(NAME, Severity.WARNING, message + _UPSAMPLES, _place_of(layer), layer.name)
            continue
        message += f'fills them with "{kinds[id(layer)]}" (harmless if you load weights)'
        message += seen_zero(subject, layer)
        yield Finding(NAME, Severity.ERROR, message, _place_of(layer), layer=layer.name, fix=fix)


def _for_weights(
    subject: Subject, zero: list[Layer], kinds: dict[int, str], chooser: Chooser
) -> Iterator[Finding]:
    """The single finding in a net that is made to load the weights of these layers.

    Layers that a comment suppresses also have a finding each, which is not shown.
    """
    silent = [layer for layer in zero[1:] if subject.suppresses(NAME, _place_of(layer))]
    left = {*silent, *filter(chooser.is_for_a_program, zero)}
    layers = [layer for layer in zero if layer not in left]
    edits = tuple(edit for layer in layers for edit in fill(layer, kinds[id(layer)]))
    fillers = {key: f'"{kind}"' for key, kind in kinds.items()}
    message = (
        f"no weight_filler in {_some([layer.name for layer in zero])}, while later layers have one: such a net "
        "starts from loaded weights, and can never learn without them (from-scratch = false says that they are "
        f"loaded); fills them with {' and '.join(sorted({fillers[id(layer)] for layer in layers}))}"
    )
    fix = Fix(edits, Applicability.UNSAFE, f"add weight_filler to {len(layers)} layers")
    yield Finding(NAME, Severity.WARNING, message, _place_of(zero[0]), layer=zero[0].name, fix=fix)
    yield from (Finding(NAME, Severity.WARNING, message, _place_of(layer), layer.name) for layer in silent)


def _needed(view: list[Layer], zero: list[Layer], filled: list[Layer]) -> list[Layer]:
    """The layers that must not stay at zero, in a net whose weights a program writes.

    In such a net a score layer at zero is intended (Long et al. 2015, section 4.3), and kills no other layer. Very
    many layers are not checked one by one, because each check analyses the whole net.
    """
    if len(filled) > _MOST:
        return filled
    doomed = len(dead_weights(view, filled=zero))
    idle = {a for a in filled if len(dead_weights(view, filled=[b for b in zero if b is not a])) <= doomed}
    rest = [layer for layer in zero if layer not in idle]
    return filled if len(dead_weights(view, filled=rest)) > doomed else [a for a in filled if a not in idle]


def _place_of(layer: Layer) -> Node:
    return layer.node.message(layer.kind.weights) or layer.node


def _diagnose(view: list[Layer], missing: list[Layer], explicit: list[Layer]) -> tuple[list[Layer], list[Layer]]:
    """The layers to fill, in file order, and the dead ones that this revives; both empty if it revives none.

    Layers without a filler are filled together. A layer with an explicit zero filler may be intended:
    it is filled only if layers stay dead otherwise. Of very many such layers, all or none are filled.
    """
    dead = dead_weights(view)
    if not dead:
        return [], []
    doomed = set(map(id, dead_weights(view, filled=[*missing, *explicit])))
    revived = [layer for layer in dead if id(layer) not in doomed]
    if not revived:
        return [], []
    filled = dict.fromkeys(missing)
    left = len(dead_weights(view, filled=list(filled))) if explicit else 0
    hopeless = set(dead)
    if len(explicit) > _MOST:
        filled.update(dict.fromkeys(explicit if left > len(doomed) else ()))
        explicit = []
    for layer in explicit:
        if left <= len(doomed):
            break
        now = dead_weights(view, filled=[*filled, layer])
        if len(now) < left or layer in hopeless:
            filled[layer] = None
            left = len(now)
    return [layer for layer in view if layer in filled], revived


def _choose(subject: Subject, net: Net, chooser: Chooser, zero: list[Layer], learns: bool) -> dict[int, str]:
    """The filler for each layer, by id; for layers that a program is to fill, the most similar one."""
    had = [kind for kind in _KINDS if not subject.lacks(Registered.FILLER, kind)]  # there was no msra before 2015

    def kind_for(layer: Layer) -> str:
        kind = "bilinear" if chooser.is_for_a_program(layer) else chooser.choose(layer)
        return had[0] if had and kind in _KINDS and kind not in had else kind

    kinds = {id(layer): kind_for(layer) for layer in zero}
    if learns:
        open_to_choice = [layer for layer in zero if kinds[id(layer)] != "bilinear"]
        better = _predicted(net, {layer: kinds[id(layer)] for layer in zero}, open_to_choice, had)
        kinds.update((id(layer), better) for layer in open_to_choice if better)
    return kinds


def _predicted(net: Net, usual: dict[Layer, str], layers: list[Layer], had: list[str]) -> str:
    """The filler whose predicted signals are nearest to the good range; empty if the usual choice is in it."""
    stages = loss_stages(net, Phase.TRAIN)

    def far(kinds: dict[Layer, str]) -> float | None:
        filled = {layer: FillerSpec(kind) for layer, kind in kinds.items()}
        return distance(predict(net, stages=stages, filled=filled))

    best = far(usual)
    chosen = ""
    for kind in had if best else ():
        other = far({**usual, **dict.fromkeys(layers, kind)})
        if other is not None and best is not None and other < best:
            best, chosen = other, kind
    return chosen


def _owners(view: list[Layer]) -> list[Layer]:
    """Layers that fill their weights themselves: of layers that share weights, the first."""
    seen: set[str] = set()
    owners = []
    for layer in view:
        name = layer.param(0).shared_name
        if name not in seen:
            owners.append(layer)
        if name:
            seen.add(name)
    return owners


def _filler(layer: Layer) -> Filler:
    return layer.filler(layer.kind.weights, "weight_filler")


def _lack(layer: Layer) -> str:
    return "no weight_filler" if _filler(layer).node is None else "weight_filler is constant 0"


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
