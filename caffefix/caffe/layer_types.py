"""Layer types: what V1's enum calls them, which have weights, which feed and which score.

Sources: ``V1LayerParameter.LayerType`` and ``UpgradeV1LayerType`` (upgrade_proto.cpp), the
layers' ``LayerSetUp``.
"""

from __future__ import annotations

from caffefix.records import dataclass

# name in V1's enum -> (number, V2's string)
_V1 = {
    "NONE": (0, ""), "ABSVAL": (35, "AbsVal"), "ACCURACY": (1, "Accuracy"), "ARGMAX": (30, "ArgMax"),
    "BNLL": (2, "BNLL"), "CONCAT": (3, "Concat"), "CONTRASTIVE_LOSS": (37, "ContrastiveLoss"),
    "CONVOLUTION": (4, "Convolution"), "DATA": (5, "Data"), "DECONVOLUTION": (39, "Deconvolution"),
    "DROPOUT": (6, "Dropout"), "DUMMY_DATA": (32, "DummyData"), "EUCLIDEAN_LOSS": (7, "EuclideanLoss"),
    "ELTWISE": (25, "Eltwise"), "EXP": (38, "Exp"), "FLATTEN": (8, "Flatten"), "HDF5_DATA": (9, "HDF5Data"),
    "HDF5_OUTPUT": (10, "HDF5Output"), "HINGE_LOSS": (28, "HingeLoss"), "IM2COL": (11, "Im2col"),
    "IMAGE_DATA": (12, "ImageData"), "INFOGAIN_LOSS": (13, "InfogainLoss"),
    "INNER_PRODUCT": (14, "InnerProduct"), "LRN": (15, "LRN"), "MEMORY_DATA": (29, "MemoryData"),
    "MULTINOMIAL_LOGISTIC_LOSS": (16, "MultinomialLogisticLoss"), "MVN": (34, "MVN"),
    "POOLING": (17, "Pooling"), "POWER": (26, "Power"), "RELU": (18, "ReLU"), "SIGMOID": (19, "Sigmoid"),
    "SIGMOID_CROSS_ENTROPY_LOSS": (27, "SigmoidCrossEntropyLoss"), "SILENCE": (36, "Silence"),
    "SOFTMAX": (20, "Softmax"), "SOFTMAX_LOSS": (21, "SoftmaxWithLoss"), "SPLIT": (22, "Split"),
    "SLICE": (33, "Slice"), "TANH": (23, "TanH"), "WINDOW_DATA": (24, "WindowData"),
    "THRESHOLD": (31, "Threshold"),
}  # fmt: skip

V1_TYPES: dict[str, str] = {name: v2 for name, (_, v2) in _V1.items()}
V1_NUMBERS: dict[int, str] = dict(_V1.values())


@dataclass(frozen=True, slots=True)
class Weights:
    """Where a layer type keeps its weight filler.

    Attributes:
        message: the field of the layer that holds ``weight_filler`` and ``bias_filler``.
        bias_by_default: whether it has a bias unless ``bias_term: false``.
    """

    message: str
    bias_by_default: bool = True


# Types whose weights are filled with zeros where no weight_filler is given.
WEIGHTED: dict[str, Weights] = {
    "Convolution": Weights("convolution_param"),
    "Deconvolution": Weights("convolution_param"),
    "DepthwiseConvolution": Weights("convolution_param"),
    "ConvolutionDepthwise": Weights("convolution_param"),
    "InnerProduct": Weights("inner_product_param"),
    "Embed": Weights("embed_param"),
    "LSTM": Weights("recurrent_param"),
    "RNN": Weights("recurrent_param"),
}

CONVOLUTIONS = frozenset({"Convolution", "Deconvolution", "DepthwiseConvolution", "ConvolutionDepthwise"})

# Layers whose images are transformed by transform_param.
IMAGE_SOURCES = frozenset({"Data", "ImageData", "WindowData", "MemoryData", "AnnotatedData"})

_LOSSES = frozenset({"InfogainLoss", "SoftmaxWithLoss", "SoftmaxWithLossV2"})
_INPUTS = frozenset({"Input"})


def is_loss(layer_type: str) -> bool:
    """Whether a type ends a train net, by Caffe's names and by the forks' habit of naming."""
    return layer_type in _LOSSES or layer_type.endswith(("Loss", "LossLayer"))


def is_input(layer_type: str) -> bool:
    """Whether a type's tops come from outside the net."""
    return layer_type in _INPUTS


# What BVLC's Caffe registers (src/caffe/layers, layer_factory.cpp).
BVLC_TYPES = frozenset(
    """
    AbsVal Accuracy ArgMax BNLL BatchNorm BatchReindex Bias Clip Concat ContrastiveLoss Convolution Crop Data
    Deconvolution Dropout DummyData ELU Eltwise Embed EuclideanLoss Exp Filter Flatten HDF5Data HDF5Output
    HingeLoss Im2col ImageData InfogainLoss InnerProduct Input LRN LSTM LSTMUnit Log MVN MemoryData
    MultinomialLogisticLoss PReLU Parameter Pooling Power Python RNN ReLU Reduction Reshape SPP Scale Sigmoid
    SigmoidCrossEntropyLoss Silence Slice Softmax SoftmaxWithLoss Split Swish TanH Threshold Tile WindowData
    """.split()
)
