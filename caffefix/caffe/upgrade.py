"""Caffe's own upgrade, on messages: what a net in an old format means (upgrade_proto.cpp).

Implemented separately from the fixers that rewrite the text, so that each checks the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from caffefix.caffe.layers.book import V1_TYPES
from caffefix.caffe.messages import UNKNOWN, message_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_V1 = "V1LayerParameter"

# UpgradeV0LayerParameter: V0's type -> V1's type, V1's message, and the fields that go there.
_V0: dict[str, tuple[str, str, str]] = {
    "accuracy": ("ACCURACY", "", ""),
    "bnll": ("BNLL", "", ""),
    "concat": ("CONCAT", "concat_param", "concat_dim"),
    "conv": (
        "CONVOLUTION",
        "convolution_param",
        "num_output biasterm=bias_term weight_filler bias_filler pad kernelsize=kernel_size group stride",
    ),
    "data": ("DATA", "data_param", "source batchsize=batch_size rand_skip"),
    "dropout": ("DROPOUT", "dropout_param", "dropout_ratio"),
    "euclidean_loss": ("EUCLIDEAN_LOSS", "", ""),
    "flatten": ("FLATTEN", "", ""),
    "hdf5_data": ("HDF5_DATA", "hdf5_data_param", "source batchsize=batch_size"),
    "hdf5_output": ("HDF5_OUTPUT", "", ""),
    "im2col": ("IM2COL", "", ""),
    "images": (
        "IMAGE_DATA",
        "image_data_param",
        "source batchsize=batch_size rand_skip shuffle_images=shuffle new_height new_width",
    ),
    "infogain_loss": ("INFOGAIN_LOSS", "infogain_loss_param", "source"),
    "innerproduct": (
        "INNER_PRODUCT",
        "inner_product_param",
        "num_output biasterm=bias_term weight_filler bias_filler",
    ),
    "lrn": ("LRN", "lrn_param", "local_size alpha beta k"),
    "multinomial_logistic_loss": ("MULTINOMIAL_LOGISTIC_LOSS", "", ""),
    "pool": ("POOLING", "pooling_param", "pool pad kernelsize=kernel_size stride"),
    "relu": ("RELU", "", ""),
    "sigmoid": ("SIGMOID", "", ""),
    "softmax": ("SOFTMAX", "", ""),
    "softmax_loss": ("SOFTMAX_LOSS", "", ""),
    "split": ("SPLIT", "", ""),
    "tanh": ("TANH", "", ""),
    "window_data": (
        "WINDOW_DATA",
        "window_data_param",
        "source batchsize=batch_size det_fg_threshold=fg_threshold det_bg_threshold=bg_threshold "
        "det_fg_fraction=fg_fraction det_context_pad=context_pad det_crop_mode=crop_mode",
    ),
}
_V0_TRANSFORM = {"scale": "scale", "meanfile": "mean_file", "cropsize": "crop_size", "mirror": "mirror"}
_V0_SAME = ("name", "blobs", "blobs_lr", "weight_decay")
# The image fields of V1's data layers, which UpgradeNetDataTransformation moves.
_TRANSFORM = ("scale", "mean_file", "crop_size", "mirror")
_SOURCES = {b"DATA": "data_param", b"IMAGE_DATA": "image_data_param", b"WINDOW_DATA": "window_data_param"}
# V1's lists, whose i-th entries make the i-th ``param`` block.
_SPECS = {"param": "name", "blob_share_mode": "share_mode", "blobs_lr": "lr_mult", "weight_decay": "decay_mult"}


class Fatal(Exception):
    """Caffe aborts; the message is its own."""


# ---------------------------------------------------------------- V0 -> V1


def is_v0(layers: Iterable[Any]) -> bool:
    """Whether Caffe reads old-format layers as the first format (NetNeedsV0ToV1Upgrade)."""
    return any(layer.HasField("layer") for layer in layers)


def from_v0(connections: Sequence[Any], inputs: Sequence[bytes]) -> tuple[list[Any], str]:
    """V1 layers of a V0 net (UpgradeV0Net), and the missing blob on which Caffe aborts, if any.

    Raises:
        Fatal: Caffe aborts, and the rest of the net has no clear meaning.
    """
    kept, missing = _without_padding(connections, inputs)
    return [_from_connection(c) for c in kept], missing


def _without_padding(connections: Sequence[Any], inputs: Sequence[bytes]) -> tuple[list[Any], str]:
    """UpgradeV0PaddingLayers: what consumes a padding layer's blob pads itself."""
    kept = []
    missing = ""
    producer: dict[bytes, Any] = dict.fromkeys(inputs)
    for connection in connections:
        layer = message_class(_V1)()
        layer.CopyFrom(connection)
        padding = layer.layer.type == b"padding"
        for index, blob in enumerate(connection.bottom):
            if blob not in producer:
                missing = missing or f"Unknown blob input {blob.decode('latin-1')} to layer {index}"
            source = producer.get(blob)
            if source is None or source.layer.type != b"padding":
                continue
            if layer.layer.type not in (b"conv", b"pool"):
                raise Fatal(f"Padding layer input to non-convolutional / non-pooling layer type {_text(layer)}")
            if len(connection.bottom) != 1 or len(source.bottom) != 1 or len(source.top) != 1:
                raise Fatal("Conv and padding layers take a single blob.")
            layer.layer.pad = source.layer.pad
            layer.bottom[index] = source.bottom[0]
        producer.update(dict.fromkeys(connection.top, connection))
        if not padding:
            kept.append(layer)
    return kept, missing


def _text(connection: Any) -> str:
    text: str = connection.layer.type.decode("latin-1")
    return text


def _from_connection(connection: Any) -> Any:
    """UpgradeV0LayerParameter: bottoms, tops and what is inside; the rest is dropped, as Caffe drops it."""
    layer = message_class(_V1)(bottom=connection.bottom, top=connection.top)
    if not connection.HasField("layer"):
        return layer
    inner = connection.layer
    for name in _V0_SAME:
        _copy(inner, name, layer, name)
    if inner.HasField("type"):
        kind = _text(connection)
        if kind not in _V0:
            raise Fatal(f"Unknown layer name: {kind}")
        v1, message, fields = _V0[kind]
        layer.type = v1.encode()
        for pair in fields.split():
            old, _, new = pair.partition("=")
            if _given(inner, old):
                _copy(inner, old, getattr(layer, message), new or old)
        if kind == "hdf5_output":
            _copy(inner, "hdf5_output_param", layer, "hdf5_output_param")
    for old, new in _V0_TRANSFORM.items():
        if inner.HasField(old):
            _copy(inner, old, layer.transform_param, new)
    return layer


def _given(message: Any, name: str) -> bool:
    return any(field.name == name for field, _ in message.ListFields())


def _copy(source: Any, name: str, target: Any, new: str) -> None:
    """Copy a field, if it is given, to one that may be repeated where the old one is not."""
    if name not in source.DESCRIPTOR.fields_by_name or not _given(source, name):
        return
    value = getattr(source, name)
    held = getattr(target, new)
    if hasattr(held, "extend"):
        held.extend(value if hasattr(value, "extend") else [value])
    elif hasattr(held, "CopyFrom"):
        held.CopyFrom(value)
    else:
        setattr(target, new, value)


# ---------------------------------------------------------------- V1 -> V2


def from_v1(old: Any) -> Any:
    """The V2 layer of a V1 layer (UpgradeNetDataTransformation, UpgradeV1LayerParameter)."""
    _move_transform(old)
    layer = message_class("LayerParameter")()
    targets = layer.DESCRIPTOR.fields_by_name
    for field, _ in old.ListFields():
        if field.name in _SPECS or field.name == "type":
            continue
        other = targets.get(field.name)
        if other is not None and other.message_type is field.message_type:
            _copy(old, field.name, layer, field.name)
        elif field.name != UNKNOWN:
            getattr(layer, UNKNOWN).append(f"{field.name}: {getattr(old, field.name)}".encode())
    if old.HasField("type"):
        kind = old.type.decode("latin-1")
        layer.type = V1_TYPES.get(kind, kind).encode("latin-1")
    for name, spec in _SPECS.items():
        for index, value in enumerate(getattr(old, name)):
            while len(layer.param) <= index:
                layer.param.add()
            setattr(layer.param[index], spec, value)
    return layer


def _move_transform(layer: Any) -> None:
    holder = _SOURCES.get(layer.type)
    if holder is None or not layer.HasField(holder):
        return
    source = getattr(layer, holder)
    for name in _TRANSFORM:
        if source.HasField(name):
            setattr(layer.transform_param, name, getattr(source, name))
            source.ClearField(name)


# ---------------------------------------------------------------- the net and the solver


def input_layer(net: Any) -> Any | None:
    """The Input layer of a net with ``input`` fields, which are cleared (UpgradeNetInput); None without shapes."""
    inputs, shapes, dims = list(net.input), list(net.input_shape), list(net.input_dim)
    layer = None
    if inputs and (shapes or dims):
        layer = message_class("LayerParameter")(name=b"input", type=b"Input", top=inputs)
        given = layer.input_param.shape
        for index in range(len(inputs)):
            if shapes:
                if index < len(shapes):
                    given.add().CopyFrom(shapes[index])
            else:
                given.add().dim.extend(dims[4 * index : 4 * index + 4])
    if inputs:
        for name in ("input", "input_shape", "input_dim"):
            net.ClearField(name)
    return layer


def batch_norm(layer: Any) -> None:
    """Three ``param`` blocks of a BatchNorm do not learn (UpgradeNetBatchNorm)."""
    if layer.type == b"BatchNorm" and len(layer.param) == 3:
        for param in layer.param:
            param.lr_mult = param.decay_mult = 0


_SOLVERS = {b"SGD": b"SGD", b"NESTEROV": b"Nesterov", b"ADAGRAD": b"AdaGrad", b"RMSPROP": b"RMSProp"}
_SOLVERS |= {b"ADADELTA": b"AdaDelta", b"ADAM": b"Adam"}


def solver_type(solver: Any) -> None:
    """``solver_type`` becomes ``type`` (UpgradeSolverType).

    Raises:
        Fatal: both are given.
    """
    if not solver.HasField("solver_type"):
        return
    if solver.HasField("type"):
        raise Fatal(
            "Failed to upgrade solver: old solver_type field (enum) and new type field (string) "
            "cannot be both specified in solver proto text."
        )
    known = _SOLVERS.get(solver.solver_type)
    if known is not None:
        solver.type = known
        solver.ClearField("solver_type")
