"""The first format, V0: its types, and where its fields go in V1 (upgrade_proto.cpp, UpgradeV0LayerParameter)."""

from __future__ import annotations

# V0's type string -> V1's enum. "padding" is folded into its consumer instead.
V0_TYPES = {
    "accuracy": "ACCURACY", "bnll": "BNLL", "concat": "CONCAT", "conv": "CONVOLUTION", "data": "DATA",
    "dropout": "DROPOUT", "euclidean_loss": "EUCLIDEAN_LOSS", "flatten": "FLATTEN", "hdf5_data": "HDF5_DATA",
    "hdf5_output": "HDF5_OUTPUT", "im2col": "IM2COL", "images": "IMAGE_DATA",
    "infogain_loss": "INFOGAIN_LOSS", "innerproduct": "INNER_PRODUCT", "lrn": "LRN",
    "multinomial_logistic_loss": "MULTINOMIAL_LOGISTIC_LOSS", "pool": "POOLING", "relu": "RELU",
    "sigmoid": "SIGMOID", "softmax": "SOFTMAX", "softmax_loss": "SOFTMAX_LOSS", "split": "SPLIT",
    "tanh": "TANH", "window_data": "WINDOW_DATA",
}  # fmt: skip

PADDING = "padding"
# Types that may consume a padding layer's blob.
PADDED = frozenset(("conv", "pool"))

# Fields of the inner layer that V1 has under the same name.
SAME = frozenset(("name", "type", "blobs", "blobs_lr", "weight_decay"))

# Fields that may be given more than once.
REPEATED = frozenset(("blobs", "blobs_lr", "weight_decay"))

_MESSAGES = {
    "conv": "convolution_param", "innerproduct": "inner_product_param", "pool": "pooling_param",
    "dropout": "dropout_param", "lrn": "lrn_param", "data": "data_param", "hdf5_data": "hdf5_data_param",
    "images": "image_data_param", "window_data": "window_data_param", "infogain_loss": "infogain_loss_param",
    "concat": "concat_param",
}  # fmt: skip
_DATA = ("data", "hdf5_data", "images", "window_data")

# field -> (types that may have it, its new name)
_GATED = {
    "num_output": (("conv", "innerproduct"), "num_output"),
    "biasterm": (("conv", "innerproduct"), "bias_term"),
    "weight_filler": (("conv", "innerproduct"), "weight_filler"),
    "bias_filler": (("conv", "innerproduct"), "bias_filler"),
    "pad": (("conv", "pool"), "pad"),
    "kernelsize": (("conv", "pool"), "kernel_size"),
    "group": (("conv",), "group"),
    "stride": (("conv", "pool"), "stride"),
    "pool": (("pool",), "pool"),
    "dropout_ratio": (("dropout",), "dropout_ratio"),
    "local_size": (("lrn",), "local_size"),
    "alpha": (("lrn",), "alpha"),
    "beta": (("lrn",), "beta"),
    "k": (("lrn",), "k"),
    "source": ((*_DATA, "infogain_loss"), "source"),
    "batchsize": (_DATA, "batch_size"),
    "rand_skip": (("data", "images"), "rand_skip"),
    "shuffle_images": (("images",), "shuffle"),
    "new_height": (("images",), "new_height"),
    "new_width": (("images",), "new_width"),
    "concat_dim": (("concat",), "concat_dim"),
    "det_fg_threshold": (("window_data",), "fg_threshold"),
    "det_bg_threshold": (("window_data",), "bg_threshold"),
    "det_fg_fraction": (("window_data",), "fg_fraction"),
    "det_context_pad": (("window_data",), "context_pad"),
    "det_crop_mode": (("window_data",), "crop_mode"),
}
# These go to transform_param whatever the type.
_TRANSFORM = {"scale": "scale", "meanfile": "mean_file", "cropsize": "crop_size", "mirror": "mirror"}


def destination(field: str, layer_type: str) -> tuple[str, str] | None:
    """Message and name in V1 of a field of the inner layer; None where Caffe's upgrade drops it."""
    if field in _TRANSFORM:
        return "transform_param", _TRANSFORM[field]
    types, name = _GATED.get(field, ((), ""))
    return (_MESSAGES[layer_type], name) if layer_type in types else None
