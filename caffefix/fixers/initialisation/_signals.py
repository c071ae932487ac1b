"""Nets whose predicted signals are out of range (``evidence.prediction``), and what brings them back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf, log

from caffefix._startup.records import dataclass
from caffefix.caffe.fillers import read_filler
from caffefix.caffe.layers.book import BOOK
from caffefix.caffe.layers.bvlc import is_bvlc_type
from caffefix.caffe.layers.kind import LayerType
from caffefix.caffe.net import Generation, Layer, Net
from caffefix.evidence.prediction import HIGH, HUGE, LOW, TINY, Logits, Prediction
from caffefix.findings import Applicability, Finding, Fix, Severity, Subject
from caffefix.fixers._claims import may_hold_floats
from caffefix.fixers.initialisation._fillers import retype
from caffefix.syntax.edits import Before, Edit, Insert, Last, NewField, NewMessage
from caffefix.syntax.lowering import apply, lower
from caffefix.syntax.parse import parse
from caffefix.syntax.scalars import number_text
from caffefix.syntax.tree import Node, descend

# Sources of 8-bit images; for other sources no net says what they provide.
PIXELS = tuple(sorted(kind.name for kind in BOOK.values() if kind.pixels))
_PREPARES = frozenset({"scale", "mean_file", "mean_value"})
# Old filler types, and the type that replaces them.
Plan = tuple[tuple[str, ...], str]

_SCALE = "0.00390625"  # 1/256


def suspects(subject: Subject) -> Iterator[tuple[Net, Prediction]]:
    """Nets that learn from 8-bit images and from scratch, without normalisation, and their predicted signals."""
    log = subject.options.log
    if not subject.from_scratch or (log is not None and log.loads_weights):
        return
    for net in subject.nets:
        kinds = {layer.kind for layer in net.layers}
        on_logits, on_pixels = any(kind.contains for kind in kinds), any(kind.pixels for kind in kinds)
        if not (on_logits and on_pixels and all(map(_is_understood, kinds))) or not subject.learns(net):
            continue
        prediction = subject.prediction(net)
        judged = prediction.logits
        if _known(prediction) and all(_from_pixels(logits) and _is_random(logits) for logits in judged):
            yield net, prediction


def _is_understood(kind: LayerType) -> bool:
    """Nets that normalise signals are skipped, as are nets with layers of forks, about which not all is known."""
    return (is_bvlc_type(kind.name) or kind.pixels) and not kind.normaliser and kind.name != "Python"


def lands(prediction: Prediction) -> bool:
    """Whether all logits are in range, and no blob on the way is out of it."""
    return distance(prediction) == 0


def distance(prediction: Prediction) -> float | None:
    """How far signals are out of range, as a logarithm; None if it is unknown."""
    if not _known(prediction):
        return None
    far = max(_outside(logits.std or 0.0, LOW, HIGH) for logits in prediction.logits)
    feeders = {layer.name for logits in prediction.logits for layer in logits.feeders}
    sizes = [b.mean_abs for b in prediction.blobs if b.layer in feeders and b.mean_abs]
    return max([far, *(_outside(size, TINY, HUGE) for size in sizes)])


def after(subject: Subject, net: Net, edits: Sequence[Edit]) -> Prediction:
    """The prediction for a net after the edits."""
    document = subject.document
    edited = Subject(parse(apply(document.text, lower(document, edits))), subject.options)
    return edited.prediction(edited.nets[subject.nets.index(net)])


@dataclass(frozen=True, slots=True)
class Remedy:
    """Edits that bring a net's signals into range, as predicted.

    Attributes:
        edits: the edits.
        title: what they do, as a fix's title.
        words: what they do, in a message.
        prediction: the prediction for the net after the edits.
    """

    edits: tuple[Edit, ...]
    title: str
    words: str
    prediction: Prediction


def refilled(subject: Subject, net: Net, prediction: Prediction, plans: Sequence[Plan]) -> Remedy | None:
    """Other fillers for the layers that produce the logits: the first plan that brings them into range."""
    feeders = list(dict.fromkeys(layer for logits in prediction.logits for layer in logits.feeders))
    for old, kind in plans:
        fillers = [
            node for layer in feeders if (node := _filler(layer)) is not None and node.string("type") in old
        ]
        edits = tuple(edit for node in fillers for edit in retype(node, kind))
        made = after(subject, net, edits) if edits else None
        if made is not None and lands(made):
            title = f"weight_filler {kind} in {_layers(len(fillers))}"
            return Remedy(edits, title, f"sets the fillers to {kind}", made)
    return None


def rescaled(subject: Subject, net: Net, prediction: Prediction, centred: bool) -> Remedy | None:
    """Pixels scaled by 1/256 in all phases; None if any are scaled already or it does not help.

    Args:
        subject: the file.
        net: one of its nets.
        prediction: the prediction for the net.
        centred: whether the pixels may already have their mean subtracted.
    """
    feeding = {layer for logits in prediction.logits for layer in logits.feeders if layer.kind.pixels}
    tops = {layer.tops[0] for layer in feeding}
    sources = [layer for layer in net.layers if layer.kind.pixels and layer.tops and layer.tops[0] in tops]
    done = {"scale"} if centred else _PREPARES
    if any(node.name in done for layer in sources for node in descend(layer.node)):
        return None
    edits = tuple(_add_scale(layer) for layer in sources)
    made = after(subject, net, edits)
    return (
        Remedy(edits, f"scale: {_SCALE} in {_layers(len(edits))}", "scales by 1/256", made)
        if lands(made)
        else None
    )


def finding(name: str, logits: Logits, wrong: str, remedy: Remedy | None, begun: str) -> Finding:
    """A finding about a net's logits.

    Args:
        name: the name of the finding.
        logits: the logits that it is about.
        wrong: what is wrong with them.
        remedy: the edits that fix them.
        begun: what the files say about where weights come from (``_claims.start``): if anything, the finding is
            a note.
    """
    if begun:
        message = f"{wrong}, if weights come from the fillers: the net or its solver mentions {begun}"
        return Finding(name, Severity.INFO, message, logits.loss.node, logits.loss.name)
    if remedy is None:
        message = f"{wrong}; neither other fillers nor a scale alone fix this"
        return Finding(name, Severity.WARNING, message, logits.loss.node, logits.loss.name)
    leads_to = ", ".join(_bracket(found) for found in remedy.prediction.logits)
    fix = Fix(remedy.edits, Applicability.UNSAFE, remedy.title)
    message = f"{wrong}; {remedy.words}, with a prediction of {leads_to}"
    return Finding(name, Severity.WARNING, message, logits.loss.node, layer=logits.loss.name, fix=fix)


def shown(logits: Logits) -> str:
    """Predicted size of logits, in words."""
    return f"the logits '{logits.blob}' have a standard deviation of {_bracket(logits)}"


def _bracket(logits: Logits) -> str:
    std, low, high = (number_text(float(f"{size or 0:.2g}")) for size in (logits.std, logits.low, logits.high))
    return f"{std} ({low} to {high})"


def _known(prediction: Prediction) -> bool:
    """Whether all logits are predicted; logits of exactly zero are not a matter of size."""
    return bool(prediction.logits) and all(logits.std for logits in prediction.logits)


def _from_pixels(logits: Logits) -> bool:
    sources = [layer for layer in logits.feeders if not layer.bottoms]
    return bool(sources) and all(
        layer.kind.pixels and _is_plain(layer) and not may_hold_floats(layer) for layer in sources
    )


def _is_random(logits: Logits) -> bool:
    """Whether all weights are random: constant ones make the logits of all classes equal, whatever their size."""
    fillers = [filler for layer in logits.feeders if (filler := _filler(layer)) is not None]
    return all(read_filler(filler).constant is None for filler in fillers)


def _outside(size: float, low: float, high: float) -> float:
    if size <= 0:
        return inf
    return max(0.0, log(low / size), log(size / high))


def _filler(layer: Layer) -> Node | None:
    weights = layer.kind.weights
    return layer.filler(weights, "weight_filler").node if weights else None


def _is_plain(layer: Layer) -> bool:
    """Whether a source has scale and mean only where Caffe reads them (``transform_param``; V1: data's own)."""
    places = {"transform_param"}
    if layer.generation is Generation.V1:
        places |= {"data_param", "image_data_param"}
    holders = [node.parent for node in descend(layer.node) if node.name in _PREPARES]
    return all(holder is not None and holder.name in places and holder.parent == layer.node for holder in holders)


def _add_scale(layer: Layer) -> Edit:
    field = NewField("scale", _SCALE)
    transform = layer.node.message("transform_param")
    if transform is not None:
        return Insert(Last(transform), (field,))
    new = (NewMessage("transform_param", (field,)),)
    for name in ("data_param", "image_data_param", "window_data_param", "annotated_data_param"):
        node = layer.node.message(name)
        if node is not None:
            return Insert(Before(node), new)
    return Insert(Last(layer.node), new)


def _layers(count: int) -> str:
    return "1 layer" if count == 1 else f"{count} layers"
