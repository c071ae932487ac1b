"""The book's record of a layer type: one record per type, in the file of its family."""

from __future__ import annotations

from collections.abc import Callable

from caffefix._startup.records import dataclass

# No bound on the number of blobs.
MANY = 1 << 30

NONE = (0, 0)
ONE = (1, 1)
SOME = (1, MANY)


@dataclass(frozen=True, slots=True, eq=False)
class LayerType:
    """A layer type.

    Which forks register it is not in a record but in the tables (``caffe/registry.py``). Rules are named as
    ``module.function``, of the packages ``shapes`` and ``moments`` and of ``zeros.py``, and imported on first use
    (``rules.py``): a record costs next to nothing where it is only read.

    Attributes:
        name: V2's name.
        v1: its name and number in V1's enum (``V1LayerParameter.LayerType``); empty and 0 if it has none.
        v0: V0's name; empty if it has none.
        params: the messages of parameters that it reads, its own first (``LayerSetUp``, ``Reshape``). Any other is
            not an error to Caffe: it is ignored.
        needs_params: whether Caffe cannot set it up without its own message.
        bottoms: fewest and most bottoms on which Caffe does not abort, as far as forks agree; None where unknown.
        tops: the same for tops.
        shape: the rule for shapes and parameter blobs.
        zero: the rule of the exact analysis (``zeros.py``).
        moments: the rule of mean-field prediction.
        function: the function that it applies to each value; replaces a rule of moments.
        bounded: whether that function's values are bounded.

        weights: the message that holds ``weight_filler`` and ``bias_filler``, for types whose weights are zero
            without a filler; they have a bias unless ``bias_term: false``.
        outputless: Caffe's message where such a layer has no ``num_output``; empty where it does not need one.
        blobs: whether it has parameter blobs of other kinds.
        linear: whether each of its units is one weighted sum over all channels that it reads.
        convolution: whether it moves a window of weights over its bottom.
        recurrent: whether it goes through time steps.
        words: whether it reads words or time steps, not images.

        activation: whether it is the nonlinearity that follows weights.
        between: whether its type and fields determine what it computes, as for activations.
        normaliser: whether it makes the size of its bottom irrelevant.
        affine: whether it only multiplies and shifts.
        folds: whether it is folded into the weights before it when a trained net is compressed.
        keeps_shape: whether its one top has the shape of its one bottom.
        keeps_channels: whether its top has the channels of its first bottom.
        by_channel: whether it treats all channels alike and draws nothing at random.
        transparent: whether it passes its bottom through when a net is tested.
        sink: whether it has no tops.

        loss: whether its top is minimised.
        contains: the type that it computes internally before it compares.
        labels: what its last bottom holds: ``class``, ``vector``, ``binary`` or ``similar``; empty if unknown.
        symmetric: whether any of its bottoms may be the prediction.
        predictions: how many of its bottoms are predictions, or fixed, before the truth comes.
        metric: whether it compares with the truth and is not minimised.
        gradient: whether it propagates gradients back.
        first_only: whether the size of its top depends on its first bottom only.

        input: whether its tops come from outside the net.
        images: whether its first top is images, changed by ``transform_param``.
        pixels: whether these are 8-bit where they are stored.
        image_files: whether it reads image files, whose pixels are certainly 0..255.
        labelled: whether its second top holds a class for each image.
        v1_transform: the message in which V1 kept what is now in ``transform_param``.
        untransformed: whether it produces blobs that nothing transforms.
        extended: whether forks give it different labels and sizes, without a field that shows it.
        inner: whether it may be part of a net although it has no bottoms: a constant, or weights.

        old_axis: the field of its own message that ``axis`` replaced.
    """

    name: str
    v1: tuple[str, int] = ("", 0)
    v0: str = ""
    params: tuple[str, ...] = ()
    needs_params: bool = False
    bottoms: tuple[int, int] | None = None
    tops: tuple[int, int] | None = None
    shape: str = ""
    zero: str = ""
    moments: str = ""
    function: Callable[[float], float] | None = None
    bounded: bool = False

    weights: str = ""
    outputless: str = ""
    blobs: bool = False
    linear: bool = False
    convolution: bool = False
    recurrent: bool = False
    words: bool = False

    activation: bool = False
    between: bool = False
    normaliser: bool = False
    affine: bool = False
    folds: bool = False
    keeps_shape: bool = False
    keeps_channels: bool = False
    by_channel: bool = False
    transparent: bool = False
    sink: bool = False

    loss: bool = False
    contains: str = ""
    labels: str = ""
    symmetric: bool = False
    predictions: int = 1
    metric: bool = False
    gradient: bool = True
    first_only: bool = False

    input: bool = False
    images: bool = False
    pixels: bool = False
    image_files: bool = False
    labelled: bool = False
    v1_transform: str = ""
    untransformed: bool = False
    extended: bool = False
    inner: bool = False

    old_axis: str = ""

    @property
    def own(self) -> str:
        """Its own message of parameters; empty if it reads none."""
        return self.params[0] if self.params else ""
