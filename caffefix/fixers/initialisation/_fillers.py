"""Which filler to give to weights that have none."""

from __future__ import annotations

from collections.abc import Sequence

from caffefix.caffe.net import Layer
from caffefix.fixers._layers import with_makers
from caffefix.syntax.edits import After, Delete, Edit, First, Insert, Last, NewField, NewMessage, Place, Replace
from caffefix.syntax.scalars import is_string
from caffefix.syntax.tree import Node

# Fields of a filler that xavier, msra and a constant of 0 ignore, or abort on.
_OF_ONE_TYPE = frozenset({"value", "min", "max", "mean", "std", "sparse"})
# Inputs scaled by less than this are about 1 in size, not 0..255.
_SCALED = 0.1


def retype(filler: Node, kind: str, value: str = "") -> list[Edit]:
    """Change the type of a filler; fields that only the old type reads are deleted.

    Args:
        filler: the filler message.
        kind: the new type.
        value: the value of a ``constant`` filler, if it is not 0.
    """
    edits: list[Edit] = [Delete(node) for node in filler.children() if node.name in _OF_ONE_TYPE]
    new = (NewField("value", value),) if value else ()
    node = filler.field("type")
    if node is None:
        return [*edits, Insert(First(filler), (NewField("type", kind, string=True), *new))]
    quote = node.value[0] if is_string(node.value) else '"'
    edits.append(Replace(node, f"{quote}{kind}{quote}"))
    return [*edits, Insert(After(node), new)] if new else edits


def fill(layer: Layer, kind: str) -> list[Edit]:
    """Add a weight_filler of that type to a layer's parameters, or change the type of the one that is there."""
    message = layer.kind.weights
    filler = NewMessage("weight_filler", (NewField("type", kind, string=True),))
    holder = layer.node.message(message)
    assert holder is not None, "a zero-filled layer has its parameters"
    old = holder.message("weight_filler")
    if old is None:
        return [Insert(_place(holder), (filler,))]
    return retype(old, kind)


def _place(holder: Node) -> Place:
    """By convention before ``bias_filler``, that is, after the field that precedes it."""
    before: Node | None = None
    for child in holder.children():
        if child.name == "bias_filler":
            return After(before) if before is not None else First(holder)
        before = child
    return Last(holder)


# With fewer layers than this, the fillers may just have been forgotten.
_BACKBONE = 3


def is_made_for_weights(view: Sequence[Layer], missing: Sequence[Layer]) -> bool:
    """Whether a net is made to start from the weights of another one, as for fine-tuning.

    None of the layers next to the data has a filler, and layers after them have one: these are new, and the
    weights of the others are loaded. A filler that only interpolates says nothing.

    Args:
        view: the layers of a phase, in file order.
        missing: those of them that have no filler.
    """
    if len(missing) < _BACKBONE:
        return False
    lacks = set(missing).__contains__
    behind: set[str] = set()  # blobs computed with weights
    is_new = False
    for layer in view:
        weights = layer.kind.weights
        if weights and behind.isdisjoint(layer.bottoms) and not lacks(layer):
            return False
        if weights or not behind.isdisjoint(layer.bottoms):
            behind.update(layer.tops)
        else:
            behind.difference_update(layer.tops)
        if weights and not lacks(layer):
            filler = layer.filler(weights, "weight_filler")
            is_new = is_new or not (filler.is_zero or filler.type == "bilinear")
    return is_new


class Chooser:
    """Chooses fillers for the layers of a net.

    msra (He et al. 2015, variance 2/fan_in) keeps the size of a signal through ReLUs, which is right
    where the input is about 1 in size or BatchNorm makes it so. With raw 0..255 input the signal
    explodes, while xavier (Glorot and Bengio 2010, variance 1/fan_in) shrinks it into range.

    Args:
        view: the layers of a phase, in file order.
    """

    def __init__(self, view: Sequence[Layer]) -> None:
        self._is_scaled = _is_scaled(view)
        self._normalised = _behind_batch_norm(view) | _before_batch_norm(view)
        self._of_one_channel = _of_one_channel(view)

    def choose(self, layer: Layer) -> str:
        """The filler for a layer's weights: ``bilinear``, ``msra`` or ``xavier``."""
        if _upsamples(layer) and self._by_channel(layer):
            return "bilinear"
        return "msra" if self._is_scaled or id(layer) in self._normalised else "xavier"

    def is_for_a_program(self, layer: Layer) -> bool:
        """Whether no filler can make a frozen layer do its work.

        Such a layer is a frozen Deconvolution of the shape that upsamples, without a group for each channel.
        Programs write a bilinear kernel into each pair of equal channels (net surgery, as in FCN's
        ``solve.py``); Caffe's bilinear filler writes it into all pairs, and random weights do not upsample.
        """
        return _upsamples(layer) and layer.param(0).lr_mult == 0 and not self._by_channel(layer)

    def _by_channel(self, layer: Layer) -> bool:
        outputs = layer.number("convolution_param", "num_output", 0)
        groups = layer.number("convolution_param", "group", 1)
        return groups == outputs and (outputs > 1 or id(layer) in self._of_one_channel)


def _upsamples(layer: Layer) -> bool:
    """Whether a layer has the shape for bilinear upsampling: kernel 2s − s%2."""
    if layer.type != "Deconvolution":
        return False
    kernel, stride = (
        layer.number("convolution_param", name, default) for name, default in (("kernel_size", 0), ("stride", 1))
    )
    return stride > 1 and kernel == 2 * stride - stride % 2


def _of_one_channel(view: Sequence[Layer]) -> set[int]:
    """Layers (by id) whose only bottom is produced, with one channel, by a convolution."""
    return {
        id(layer)
        for layer, makers in with_makers(view)
        if len(makers) == 1
        and makers[0] is not None
        and makers[0].kind.convolution
        and makers[0].number("convolution_param", "num_output", 0) == 1
    }


def _is_scaled(view: Sequence[Layer]) -> bool:
    for layer in view:
        if not layer.kind.images:
            continue
        for name in ("transform_param", "data_param", "image_data_param"):
            if 0 < abs(layer.number(name, "scale", 0.0)) < _SCALED:
                return True
    return False


def _behind_batch_norm(view: Sequence[Layer]) -> set[int]:
    """Layers (by id) that have a BatchNorm somewhere upstream."""
    found = set()
    normalised: set[str] = set()
    for layer in view:
        if layer.type == "BatchNorm" or not normalised.isdisjoint(layer.bottoms):
            found.add(id(layer))
            normalised.update(layer.tops)
        else:
            normalised.difference_update(layer.tops)
    return found


def _before_batch_norm(view: Sequence[Layer]) -> set[int]:
    """Layers (by id) whose top reaches a BatchNorm before other weights."""
    found = set()
    taken: set[str] = set()  # blobs that reach a BatchNorm further on
    for layer in reversed(view):
        reaches = not taken.isdisjoint(layer.tops)
        if reaches:
            found.add(id(layer))
        taken.difference_update(layer.tops)
        if layer.type == "BatchNorm" or (reaches and not layer.kind.weights):
            taken.update(layer.bottoms)
    return found
