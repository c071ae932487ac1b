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
    """Make a filler one of another type: what only the old type reads is deleted.

    Args:
        filler: the filler message.
        kind: the new type.
        value: for ``constant``, where it is not 0.
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
    """Give a layer with its parameters a weight_filler of that type, or make its own one of it."""
    message = layer.kind.weights
    filler = NewMessage("weight_filler", (NewField("type", kind, string=True),))
    holder = layer.node.message(message)
    assert holder is not None, "a zero-filled layer has its parameters"
    old = holder.message("weight_filler")
    if old is None:
        return [Insert(_place(holder), (filler,))]
    return retype(old, kind)


def _place(holder: Node) -> Place:
    """Before ``bias_filler`` by custom: behind the field in front of it."""
    before: Node | None = None
    for child in holder.children():
        if child.name == "bias_filler":
            return After(before) if before is not None else First(holder)
        before = child
    return Last(holder)


# So few layers without a filler may have been forgotten.
_BACKBONE = 3


def is_made_for_weights(view: Sequence[Layer], missing: Sequence[Layer]) -> bool:
    """Whether a net is made to start from the weights of another one, as for fine-tuning.

    Its layers next to the data have no filler, all of them, and layers behind them have: those are new, and the
    others' weights are loaded. A filler that only interpolates says nothing.

    Args:
        view: the layers of a phase, in file order.
        missing: those of them that have no filler.
    """
    if len(missing) < _BACKBONE:
        return False
    lacks = set(missing).__contains__
    behind: set[str] = set()  # blobs that weights have gone into
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

    msra (He et al. 2015, variance 2/fan_in) keeps the size of a signal through ReLUs: right
    where the input is about 1 in size or BatchNorm makes it so. From raw 0..255 input it
    explodes where xavier (Glorot and Bengio 2010, variance 1/fan_in) shrinks it into range.

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
        """Whether no filler makes of a frozen layer what it is there for.

        A frozen Deconvolution of the shape that upsamples, without a group for each channel: programs
        write a bilinear kernel into each pair of equal channels (net surgery, as FCN's ``solve.py``);
        Caffe's bilinear filler writes it into all pairs, and random weights upsample nothing.
        """
        return _upsamples(layer) and layer.param(0).lr_mult == 0 and not self._by_channel(layer)

    def _by_channel(self, layer: Layer) -> bool:
        outputs = layer.number("convolution_param", "num_output", 0)
        groups = layer.number("convolution_param", "group", 1)
        return groups == outputs and (outputs > 1 or id(layer) in self._of_one_channel)


def _upsamples(layer: Layer) -> bool:
    """The shape of a layer for bilinear upsampling: kernel 2s − s%2."""
    if layer.type != "Deconvolution":
        return False
    kernel, stride = (
        layer.number("convolution_param", name, default) for name, default in (("kernel_size", 0), ("stride", 1))
    )
    return stride > 1 and kernel == 2 * stride - stride % 2


def _of_one_channel(view: Sequence[Layer]) -> set[int]:
    """Layers (by id) whose one bottom is made, with one channel, by a convolution."""
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
    """Layers (by id) whose top a BatchNorm takes before other weights do."""
    found = set()
    taken: set[str] = set()  # blobs that a BatchNorm takes further on
    for layer in reversed(view):
        reaches = not taken.isdisjoint(layer.tops)
        if reaches:
            found.add(id(layer))
        taken.difference_update(layer.tops)
        if layer.type == "BatchNorm" or (reaches and not layer.kind.weights):
            taken.update(layer.bottoms)
    return found
