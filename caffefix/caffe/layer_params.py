"""Which messages of parameters a layer type reads, and which it cannot do without.

Sources: ``LayerSetUp`` and ``Reshape`` of BVLC's layers. A message that a layer does not read is no
error to Caffe: it is passed over.
"""

from __future__ import annotations

from collections.abc import Collection

from caffefix.caffe.net import Layer

# A type's own message comes first. A type without a line reads none.
_READ = """
    Accuracy accuracy_param
    ArgMax argmax_param
    BatchNorm batch_norm_param
    Bias bias_param
    Clip clip_param
    Concat concat_param
    ContrastiveLoss contrastive_loss_param loss_param
    Convolution convolution_param
    Crop crop_param
    Data data_param transform_param
    Deconvolution convolution_param
    Dropout dropout_param
    DummyData dummy_data_param
    ELU elu_param
    Eltwise eltwise_param
    Embed embed_param
    EuclideanLoss loss_param
    Exp exp_param
    Flatten flatten_param
    HDF5Data hdf5_data_param transform_param
    HDF5Output hdf5_output_param
    HingeLoss hinge_loss_param loss_param
    Im2col convolution_param
    ImageData image_data_param transform_param
    InfogainLoss infogain_loss_param loss_param softmax_param
    InnerProduct inner_product_param
    Input input_param
    LRN lrn_param
    LSTM recurrent_param
    Log log_param
    MVN mvn_param
    MemoryData memory_data_param transform_param
    MultinomialLogisticLoss loss_param
    PReLU prelu_param
    Parameter parameter_param
    Pooling pooling_param
    Power power_param
    Python python_param
    RNN recurrent_param
    ReLU relu_param
    Reduction reduction_param
    Reshape reshape_param
    SPP spp_param
    Scale scale_param
    Sigmoid sigmoid_param
    SigmoidCrossEntropyLoss loss_param sigmoid_param
    Slice slice_param
    Softmax softmax_param
    SoftmaxWithLoss loss_param softmax_param
    Swish swish_param
    TanH tanh_param
    Threshold threshold_param
    Tile tile_param
    WindowData window_data_param transform_param
"""
READ: dict[str, tuple[str, ...]] = {
    kind: tuple(messages) for kind, *messages in map(str.split, _READ.strip().splitlines())
}
_ALL = frozenset().union(*READ.values())
# Types that Caffe cannot set up without their own message: a field in it has no default, or one that is refused.
_NEEDING = frozenset(
    """
    Convolution Data Deconvolution DummyData Embed HDF5Data HDF5Output Im2col ImageData InnerProduct LSTM
    MemoryData Pooling Python RNN SPP Tile WindowData
    """.split()
)


def messages(layer: Layer) -> list[str]:
    """The messages of parameters that a layer has, as BVLC's ``LayerParameter`` calls them."""
    return [name for name in layer.node.block.places() if name in _ALL]


def reads(layer_type: str, given: Collection[str]) -> bool:
    """Whether one of BVLC's types reads all of these messages."""
    return set(given).issubset(READ.get(layer_type, ()))


def lacks(layer_type: str, given: Collection[str]) -> str:
    """The message that a layer of this type cannot do without and is not given; empty if there is none."""
    needed = READ[layer_type][0] if layer_type in _NEEDING else ""
    return "" if needed in given else needed
