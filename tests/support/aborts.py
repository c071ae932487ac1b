"""On what real Caffe aborts: a small text for each way in which a finding says that it does.

``ABORTS`` is the table, ``ELSEWHERE`` names the findings that another test asks Caffe about, ``NOT_ASKED`` those
that cannot be asked about, and ``tests/fixers/test_aborts.py`` sees to it that no finding is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from caffefix.caffe.net import Phase


@dataclass(frozen=True)
class Abort:
    """A text with a finding, and what Caffe says of it.

    Attributes:
        finding: its name.
        text: a net; a solver if ``steps`` is not 0.
        words: of Caffe's, which the finding's message or page has too.
        after: the text mended by hand; None where caffefix's own repair mends it.
        loosely: the message says "aborts" without these words, which name a type or a number.
        then: what Caffe says of the mended text, where it cannot load here for want of data.
        phase: in which Caffe loads the net.
        beside: files in its folder.
        steps: how many the solver makes.
    """

    finding: str
    text: str
    words: str
    after: str | None = None
    loosely: bool = False
    then: str = ""
    phase: Phase = Phase.TRAIN
    beside: dict[str, str] = field(default_factory=dict)
    steps: int = 0


def wrong(finding: str, whole: str, right: str, mistake: str, words: str, *, loosely: bool = False) -> Abort:
    """A net with one thing made wrong, which has to be mended by hand."""
    assert whole.count(right) == 1, (whole, right)
    return Abort(finding, whole.replace(right, mistake), words, whole, loosely)


# ---------------------------------------------------------------- nets

DATA = """
layer { name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } shape { dim: 2 } data_filler { type: "gaussian" }
  data_filler { value: 1 } } }
"""
CONV = """
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
"""
SCORE = """
layer { name: "score" type: "InnerProduct" bottom: "conv1" top: "score"
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
"""
LOSS = """
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }
"""
TRUNK = CONV + SCORE + LOSS
NET = DATA + TRUNK


def layer(kind: str, bottoms: str, extra: str = "", tops: str = "odd") -> str:
    blobs = "".join(f' bottom: "{b}"' for b in bottoms.split()) + "".join(f' top: "{t}"' for t in tops.split())
    return f'layer {{ name: "odd" type: "{kind}"{blobs} {extra} }}\n'


def joined(kind: str, bottoms: str, extra: str = "", tops: str = "odd") -> str:
    """A layer of that kind between conv1 and the rest."""
    return DATA + CONV + layer(kind, bottoms, extra, tops) + SCORE + LOSS


def ending(kind: str, bottoms: str, extra: str = "", tops: str = "odd") -> str:
    """A layer of that kind behind the net."""
    return NET + layer(kind, bottoms, extra, tops)


RELU = layer("ReLU", "conv1", tops="conv1")
POOL = "pooling_param { kernel_size: 2 pad: 1 }"
GLOBAL = "pooling_param { global_pooling: true %s }"
TRAIN_ONLY = DATA.replace("dummy_data_param", "include { phase: TRAIN } dummy_data_param")
TEST_ONLY = DATA.replace("dummy_data_param", "include { phase: TEST } dummy_data_param")
PAIR = "".join(
    f'layer {{ name: "d" type: "DummyData" top: "d" phase: {phase}\n'
    f"  dummy_data_param {{ shape {{ dim: {n} }} }} }}\n"
    for phase, n in (("TRAIN", 1), ("TEST", 2))
)
SHARED = CONV.replace("bottom", 'param { name: "w" lr_mult: 1 decay_mult: 1 } bottom')
SHARED += SHARED.replace("conv1", "conv2").replace("lr_mult: 1 decay_mult: 1", "lr_mult: 1.0 decay_mult: 1.0")
SHARED = DATA + SHARED + SCORE + LOSS
SHARED_04 = "num_output: 04".join(SHARED.rsplit("num_output: 4", 1))  # a 4 of its own
PERMISSIVE = SHARED_04.replace("lr_mult: 1.0 decay_mult: 1.0", "share_mode: PERMISSIVE")
UNKNOWN_LABEL = "Unknown bottom blob 'label' (layer 'loss', bottom index 1)"

GRAPH = (
    wrong("unknown-bottom", NET, 'bottom: "conv1"', 'bottom: "conv9"',
          "Unknown bottom blob 'conv9' (layer 'score', bottom index 0)"),
    wrong("unknown-bottom", NET, 'bottom: "label"', 'bottom: "truth"',
          "Unknown bottom blob 'truth' (layer 'loss', bottom index 1)"),
    wrong("unknown-bottom", NET, DATA + CONV, CONV + DATA,
          "Unknown bottom blob 'data' (layer 'conv1', bottom index 0)"),
    Abort("unknown-bottom", NET.replace('bottom: "data"', 'bottom: "dtaa"'), "Unknown bottom blob 'dtaa'"),
    Abort("unknown-bottom", TRAIN_ONLY + TEST_ONLY.replace('"label"', '"truth"') + TRUNK, UNKNOWN_LABEL,
          TRAIN_ONLY + TEST_ONLY + TRUNK, phase=Phase.TEST),
    wrong("duplicate-top", ending("ReLU", "score"), 'top: "odd"', 'top: "conv1"',
          "Top blob 'conv1' produced by multiple sources."),
    wrong("duplicate-top", ending("Split", "score", tops="odd other"), '"other"', '"odd" ',
          "Top blob 'odd' produced by multiple sources."),
    wrong("duplicate-top", joined("ReLU", "conv1"), SCORE, RELU + SCORE,
          "Top blob 'conv1' produced by multiple sources."),
    Abort("phase-on-layer", PAIR + NET, "Top blob 'd' produced by multiple sources."),
    wrong("include-and-exclude", NET, 'top: "loss"',
          'top: "loss" include { phase: TRAIN } exclude { phase: TEST }',
          "Specify either include rules or exclude rules; not both."),
    wrong("mismatched-shared-params", SHARED, "lr_mult: 1.0", "lr_mult: 2",
          "Shared param 'w' has mismatched lr_mult."),
    wrong("mismatched-shared-params", SHARED, "decay_mult: 1.0", "decay_mult: 0",
          "Shared param 'w' has mismatched decay_mult."),
)  # fmt: skip

# What Caffe says, the message quotes whole: there is nothing to repeat here.
SHAPES = tuple(
    wrong("shape-mismatch", whole, right, mistake, "")
    for whole, right, mistake in (
        (joined("Eltwise", "conv1 conv1"), 'bottom: "conv1" top: "odd"', 'bottom: "data" top: "odd"'),
        (joined("Concat", "conv1 conv1"), 'bottom: "conv1" top: "odd"', 'bottom: "data" top: "odd"'),
        (NET, "kernel_size: 3", "kernel_size: 11"),
        (NET, "kernel_size: 3", "kernel_size: 3 group: 2"),
        (NET, "num_output: 4", "num_output: 4 group: 3"),
        (joined("Reshape", "conv1", "reshape_param { shape { dim: 2 dim: 144 } }"), "dim: 144", "dim: 143"),
        (joined("Reshape", "conv1", "reshape_param { shape { dim: -1 dim: 12 } }"), "dim: 12", "dim: 11"),
        (NET, 'bottom: "score" bottom', 'bottom: "conv1" bottom'),
        (joined("Slice", "conv1", tops="a b"), 'top: "b"', 'top: "b" top: "c"'),
        (joined("Slice", "conv1", "slice_param { slice_point: 2 }", "a b"), "point: 2", "point: 2 slice_point: 3"),
        (joined("Crop", "data conv1", "crop_param { offset: 1 }"), "offset: 1", "offset: 4"),
        (joined("Softmax", "conv1", "softmax_param { axis: 1 }"), "axis: 1", "axis: 4"),
        (joined("Pooling", "conv1", POOL), "pad: 1", "pad: 2"),
        (ending("Pooling", "conv1", POOL), 'bottom: "conv1" top: "odd"', 'bottom: "score" top: "odd"'),
        (ending("EuclideanLoss", "score score"), 'bottom: "score" top: "odd"', 'bottom: "conv1" top: "odd"'),
        (joined("Scale", "conv1", "scale_param { num_axes: 3 }"), "num_axes: 3", "num_axes: 4"),
        (ending("Accuracy", "score label", "accuracy_param { top_k: 5 }"), "top_k: 5", "top_k: 6"),
        (joined("LRN", "conv1", "lrn_param { local_size: 3 }"), "local_size: 3", "local_size: 4"),
        (SHARED_04, "num_output: 04", "num_output: 6"),
        (PERMISSIVE, "num_output: 04", "num_output: 6"),
    )
)

KERNEL = "convolution_param { num_output: 2 kernel_size: 3 }"
RECURRENT = "recurrent_param { num_output: 2 weight_filler { type: 'xavier' } }"
STEPS = layer("Input", "", "input_param { shape { dim: 2 dim: 3 dim: 4 } }", "x")
STEPS += layer("Input", "", "input_param { shape { dim: 2 dim: 3 } }", "cont")
FILLED_BY = "inner_product_param { num_output: 2 weight_filler { type: '%s' } }"
NO_OUTPUTS = "Check failed: num_output_ > 0 (0 vs. 0)"

OUTPUTS = (
    *(wrong("missing-num-output", text, "num_output: 2", mistake, words)
      for mistake in ("", "num_output: 0")
      for text, words in (
          (ending("Convolution", "data", KERNEL), NO_OUTPUTS),
          (ending("Deconvolution", "data", KERNEL), NO_OUTPUTS),
          (ending("Embed", "label", "embed_param { input_dim: 9 num_output: 2 }"),
           "Check failed: N_ > 0 (0 vs. 0) EmbedLayer num_output must be positive."),
          (STEPS + layer("LSTM", "x cont", RECURRENT), "num_output must be positive"),
          (STEPS + layer("RNN", "x cont", RECURRENT), "num_output must be positive"),
          *((ending("InnerProduct", "data", FILLED_BY % kind), "Check failed: data_")
            for kind in ("constant", "gaussian", "positive_unitball")),
          *((ending("InnerProduct", "data", FILLED_BY % kind), "Check failed: blob->count()")
            for kind in ("xavier", "msra", "uniform")),
      )),
    wrong("missing-num-output", ending("Convolution", "data", KERNEL), "num_output: 2 kernel_size: 3", "",
          "kernel_size must be specified once", loosely=True),  # that is looked at first
)  # fmt: skip

# Layers of the wrong number of blobs, and the right number: type, bottoms and tops, Caffe's words.
COUNTS = (
    ("ReLU", ("score conv1", "odd other"), ("score", "odd"), "takes 1 bottom blob(s) as input."),
    ("ReLU", ("score", "odd other"), ("score", "odd"), "produces 1 top blob(s) as output."),
    ("Softmax", ("", "odd"), ("score", "odd"), "takes 1 bottom blob(s) as input."),
    ("Eltwise", ("score", "odd"), ("score score", "odd"), "takes at least 2 bottom blob(s) as input."),
    ("Concat", ("", "odd"), ("score", "odd"), "takes at least 1 bottom blob(s) as input."),
    ("Scale", ("score score data", "odd"), ("score", "odd"), "takes at most 2 bottom blob(s) as input."),
    ("Accuracy", ("score", "odd"), ("score label", "odd"), "takes 2 bottom blob(s) as input."),
    ("EuclideanLoss", ("score", "odd"), ("score score", "odd"), "takes 2 bottom blob(s) as input."),
    ("SoftmaxWithLoss", ("score", "odd"), ("score label", "odd"), "takes 2 bottom blob(s) as input."),
    ("Silence", ("score", "odd"), ("score", ""), "produces 0 top blob(s) as output."),
    ("Slice", ("score score", "odd"), ("score", "odd"), "takes 1 bottom blob(s) as input."),
    ("Crop", ("data", "odd"), ("data data", "odd"), "takes 2 bottom blob(s) as input."),
    ("BatchNorm", ("data score", "odd"), ("data", "odd"), "takes 1 bottom blob(s) as input."),
    ("LRN", ("data", "odd other"), ("data", "odd"), "produces 1 top blob(s) as output."),
    ("Flatten", ("data", ""), ("data", "odd"), "produces 1 top blob(s) as output."),
)


def _count(kind: str, odd: tuple[str, str], right: tuple[str, str], words: str) -> Abort:
    before, after = (layer(kind, bottoms, tops=tops) for bottoms, tops in (odd, right))
    return Abort("wrong-blob-count", NET + before, f"{kind} Layer {words}", NET + after, loosely=True)


BLOBS = tuple(_count(*row) for row in COUNTS)

ONE_RATE = NET.replace(SCORE, layer("BatchNorm", "conv1", "param { lr_mult: 1 }") + SCORE)
BARE = "param { lr_mult: 1 } param { lr_mult: 2 } inner_product_param { bias_term: false num_output: 2"
MSRA = "inner_product_param { num_output: 2 weight_filler { type: '%s' } }"
BIAS = "scale_param { bias_term: true bias_filler { type: '%s' } }"
SURPLUS = "Too many params specified for layer odd"
STATISTICS = "Cannot configure batch normalization statistics as layer parameters"
LMDB = layer("Data", "", 'data_param { source: "train_lmdb" batch_size: 1 }')
HDF5 = layer("HDF5Data", "", 'transform_param { scale: 0.5 } hdf5_data_param { source: "none.txt" batch_size: 1 }')
AXIS = layer("Concat", "score score", "concat_param { axis: %s }")
DEPTHWISE = "convolution_param { num_output: 3 group: 3 kernel_size: 3 weight_filler { type: 'xavier' } }"
FILLED = "batch_norm_param { scale_filler { value: 1 } bias_filler { value: 0 } }"
SLICED = layer("Slice", "score", "slice_param { slice_dim: 1 axis: 1 slice_point: 2 }", "a b")

ODD_INPUT = layer("data", "", "input_param { shape { dim: 1 } }")

LAYERS = (
    Abort("batch-norm-lr-mult", ONE_RATE, STATISTICS),
    Abort("batch-norm-lr-mult", ONE_RATE.replace("{ lr_mult: 1 }", "{ lr_mult: 0 } param { decay_mult: 0 }"),
          STATISTICS),
    Abort("surplus-param", ending("InnerProduct", "data", BARE + " }"), SURPLUS),
    Abort("surplus-param", ending("Pooling", "data", "param { lr_mult: 1 } " + POOL), SURPLUS),
    Abort("surplus-param", ending("Scale", "data", "param { } param { }"), SURPLUS),
    Abort("surplus-param", ending("PReLU", "data", "param { lr_mult: 1 } param { lr_mult: 2 }"), SURPLUS),
    Abort("surplus-param", ending("BatchNorm", "data", "param { lr_mult: 0 } " * 4), SURPLUS),
    Abort("surplus-param", ending("BatchNorm", "data", "param { lr_mult: 1 } " * 4), STATISTICS, loosely=True),
    Abort("unknown-filler-type", ending("InnerProduct", "data", MSRA % "MSRA"), "Unknown filler name: MSRA"),
    Abort("unknown-filler-type", NET.replace("xavier", "xaver"), "Unknown filler name: xaver"),
    Abort("unknown-filler-type", ending("Scale", "data", BIAS % "Constant"), "Unknown filler name: Constant"),
    wrong("unknown-filler-type", ending("InnerProduct", "data", MSRA % "msra"), "msra", "kaiming",
          "Unknown filler name: kaiming"),
    Abort("unknown-layer-type", ending("Relu", "score"),
          "Unknown layer type: Relu (known types: AbsVal, Accuracy,"),
    Abort("unknown-layer-type", ending("softmaxwithloss", "score label"), "Unknown layer type: softmaxwithloss"),
    Abort("unknown-layer-type", NET + ODD_INPUT, "Unknown layer type: data",
          NET + ODD_INPUT.replace("data", "Input")),
    Abort("unknown-layer-type", ending("convolution", "data"), "Unknown layer type: convolution",
          ending("Convolution", "data", "convolution_param { num_output: 2 kernel_size: 1 }")),
    Abort("transform-on-hdf5-data", NET + HDF5, "HDF5Data does not transform data.",
          then="Failed to open source file: none.txt"),
    Abort("default-leveldb-backend", NET + LMDB, "Failed to open leveldb", then="No such file or directory"),
    Abort("legacy-axis-fields", NET + (AXIS % 1).replace("axis", "concat_dim: 1 axis"),
          "Either axis or concat_dim should be specified"),
    wrong("legacy-axis-fields", NET + AXIS % 0, "axis: 0", "axis: 0 concat_dim: 1",
          "Either axis or concat_dim should be specified; not both."),
    Abort("kernel-with-global-pooling", joined("Pooling", "conv1", GLOBAL % "kernel_size: 2"),
          "With Global_pooling: true Filter size cannot specified"),
    Abort("stride-with-global-pooling", joined("Pooling", "conv1", GLOBAL % "stride: 2"),
          "With Global_pooling: true; only pad = 0 and stride = 1"),
    wrong("even-lrn-size", joined("LRN", "conv1", "lrn_param { local_size: 3 }"), "local_size: 3", "local_size: 4",
          "LRN only supports odd values for local_size"),
    Abort("relu6-layer", ending("ReLU6", "score"), "Unknown layer type: ReLU6",
          then='"caffe.LayerParameter" has no field named "clip_param"'),  # this Caffe is of before Clip
    Abort("depthwise-layer", ending("DepthwiseConvolution", "data", DEPTHWISE), "Unknown layer type"),
    Abort("nvcaffe-batch-norm", ending("BatchNorm", "data", "batch_norm_param { scale_bias: true }"),
          'has no field named "scale_bias"', loosely=True),
    Abort("nvcaffe-batch-norm-fillers", ending("BatchNorm", "data", FILLED),
          'has no field named "scale_filler"', loosely=True),
    Abort("legacy-axis-fields", NET + SLICED, "Either axis or slice_dim should be specified"),
)  # fmt: skip

# ---------------------------------------------------------------- old formats

TWICE = 'Non-repeated field "%s" is specified multiple times'
V1_NET = """
layers { name: "data" type: DUMMY_DATA top: "data" top: "label"
  dummy_data_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } shape { dim: 2 } data_filler { type: "gaussian" }
  data_filler { value: 1 } } }
layers { name: "score" type: INNER_PRODUCT bottom: "data" top: "score" blobs_lr: 1
  inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layers { name: "loss" type: SOFTMAX_LOSS bottom: "score" bottom: "label" }
"""
V1_CONV = f'layers {{ name: "odd" type: CONVOLUTION bottom: "data" top: "odd" {KERNEL} }}'
MIXED = "Refusing to upgrade inconsistent NetParameter input"
V0_NET = """
input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
layers { layer { name: "pad1" type: "padding" pad: 1 } bottom: "data" top: "pad1" }
layers { layer { name: "conv1" type: "conv" num_output: 4 kernelsize: 3 } bottom: "pad1" top: "conv1" }
layers { layer { name: "relu1" type: "relu" } bottom: "conv1" top: "conv1" }
"""
INPUTS = 'input: "x" input: "y" '
DIMS = "input_dim: 1 input_dim: 3 input_dim: 4 input_dim: 4 "
SUM = layer("Eltwise", "x y")
SHAPED = layer("Input", "", "input_param { shape { dim: 1 dim: 3 } }", "x y")

FORMATS = (
    wrong("missing-num-output", V1_NET, "num_output: 5", "", "Check failed: blob->count()"),
    wrong("missing-num-output", V1_NET + V1_CONV, "num_output: 2", "num_output: 0", NO_OUTPUTS),
    Abort("legacy-v1-layers", V1_NET.replace("INNER_PRODUCT", '"InnerProduct"'),
          'Expected integer or identifier, got: "InnerProduct"', loosely=True),
    Abort("legacy-v1-layers", NET.replace('"Convolution"', "CONVOLUTION"), "Expected string, got: CONVOLUTION"),
    Abort("legacy-v1-layers", NET.replace("inner_product_param", "blobs_lr: 1 inner_product_param"),
          'Message type "caffe.LayerParameter" has no field named "blobs_lr"'),
    Abort("legacy-v1-layers", NET + 'layers { name: "r" type: RELU bottom: "score" top: "r" }', MIXED),
    wrong("legacy-v1-layers", V1_NET, "DUMMY_DATA", "DUMMY_DATUM", 'Unknown enumeration value of "DUMMY_DATUM"',
          loosely=True),
    wrong("legacy-v0-layers", V0_NET, '"relu"', '"prelu"', "Unknown layer name: prelu", loosely=True),
    wrong("legacy-v0-layers", V0_NET, '"conv" num_output: 4 kernelsize: 3', '"lrn"',
          "Padding layer input to non-convolutional / non-pooling layer type lrn", loosely=True),
    wrong("legacy-v0-layers", V0_NET, "pad: 1", "pad: 1 pad: 2", TWICE % "pad", loosely=True),
    # The shape of y is garbage: what fails first is chance.
    Abort("legacy-input-fields", INPUTS + DIMS + SUM, "Check failed: ", SHAPED + SUM, loosely=True),
    Abort("legacy-input-fields", 'input: "y" ' + SHAPED.replace(' top: "y"', "") + SUM, "Unknown bottom blob 'y'",
          SHAPED + SUM, loosely=True),
    Abort("duplicate-top", 'input: "x" ' + DIMS + SHAPED + SUM, "Top blob 'x' produced by multiple sources.",
          'input: "x" ' + SHAPED + SUM),
    Abort("legacy-input-fields", INPUTS + SUM, "Unknown bottom blob 'x'", SHAPED + SUM, loosely=True),
)  # fmt: skip

# ---------------------------------------------------------------- what the parser does not take

NO_FIELD = 'Message type "caffe.%s" has no field named "%s"'
POOLED = joined("Pooling", "conv1", "pooling_param { pool: MAX kernel_size: 2 }")

PARSER = (
    Abort("unknown-field", NET.replace('bottom: "conv1"', 'botom: "conv1"'),
          NO_FIELD % ("LayerParameter", "botom"), loosely=True),
    Abort("unknown-field", POOLED.replace("pooling_param", "Pooling_Param"),
          NO_FIELD % ("LayerParameter", "Pooling_Param"), loosely=True),
    wrong("unknown-field", NET, "num_output: 4", "num_output: 4 frobnicate: 1",
          NO_FIELD % ("ConvolutionParameter", "frobnicate"), loosely=True),
    wrong("misplaced-field", NET, "convolution_param { num_output: 4", "num_output: 4 convolution_param {  ",
          NO_FIELD % ("LayerParameter", "num_output")),
    wrong("misplaced-field", V1_NET, "blobs_lr: 1", "blobs_lr: 1 lr_mult: 1",
          NO_FIELD % ("V1LayerParameter", "lr_mult"), loosely=True),
    Abort("unknown-enum-value", POOLED.replace("MAX", "max"),
          'Unknown enumeration value of "max" for field "pool"', loosely=True),
    wrong("unknown-enum-value", POOLED, "pool: MAX", "pool: MEDIAN",
          'Unknown enumeration value of "MEDIAN" for field "pool"', loosely=True),
    wrong("wrong-value-type", NET, "num_output: 4", "num_output: 64.0", "Expected integer, got: 64.0"),
    wrong("wrong-value-type", NET, "kernel_size: 3", "kernel_size: 3 pad: -1", "Expected integer, got: -"),
    wrong("wrong-value-type", NET, 'name: "conv1"', "name: conv1", "Expected string, got: conv1"),
    wrong("wrong-value-type", NET, "kernel_size: 3", "kernel_size: '3'", "Expected integer, got: '3'"),
    wrong("wrong-value-type", NET, "data_filler { value: 1 }", "data_filler { value: 'one' }",
          "Expected double, got: 'one'"),
    wrong("repeated-singular-field", NET, "convolution_param", 'name: "other" convolution_param', TWICE % "name",
          loosely=True),
    wrong("repeated-singular-field", NET, "kernel_size: 3 ", 'kernel_size: 3 weight_filler { type: "msra" } ',
          TWICE % "weight_filler"),
    wrong("repeated-singular-field", POOLED, "kernel_size: 2",
          "kernel_size: 2 global_pooling: false global_pooling: false", TWICE % "global_pooling", loosely=True),
)  # fmt: skip

# ---------------------------------------------------------------- solvers

FIELDS = {
    "net": '"train.prototxt"', "base_lr": "0.1", "lr_policy": '"fixed"', "max_iter": "10",
    "snapshot_after_train": "false", "solver_mode": "CPU",
}  # fmt: skip
TESTED = {"test_interval": "5"}


def _text(fields: dict[str, str | None]) -> str:
    return "".join(f"{name}: {value}\n" for name, value in {**FIELDS, **fields}.items() if value is not None)


def solver(
    finding: str, fields: dict[str, str | None], words: str, after: dict[str, str | None] | None = None,
    *, loosely: bool = False,
) -> Abort:  # fmt: skip
    """A solver with these fields (None: without), mended by hand by others, if given."""
    mended = None if after is None else _text({**fields, **after})
    return Abort(finding, _text(fields), words, mended, loosely, beside={"train.prototxt": NET}, steps=2)


BOTH_TYPES = "cannot be both specified in solver proto text"
EACH_TEST_NET = "test_iter must be specified for each test network."
TRAIN = '"train.prototxt"'
SOLVERS = (
    solver("unknown-lr-policy", {"lr_policy": '"Fixed"'}, "Unknown learning rate policy: Fixed"),
    solver("unknown-lr-policy", {"lr_policy": None}, "Unknown learning rate policy: ", {"lr_policy": '"fixed"'}),
    solver("unknown-lr-policy", {"lr_policy": None, "base_lr": None}, "Unknown learning rate policy: ",
           {"lr_policy": '"fixed"', "base_lr": "0.1"}),
    solver("unknown-lr-policy", {"lr_policy": '"cosine"'}, "Unknown learning rate policy: cosine",
           {"lr_policy": '"fixed"'}),
    solver("missing-policy-field", {"lr_policy": '"step"', "gamma": "0.1"},
           "Check failed: this->param_.stepsize() > 0", {"stepsize": "5"}),
    solver("missing-policy-field", {"lr_policy": '"sigmoid"', "gamma": "0.1", "stepsize": "0"},
           "Check failed: this->param_.stepsize() > 0", {"stepsize": "5"}),
    solver("unsupported-momentum", {"type": '"AdaGrad"', "momentum": "0.9"},
           "Momentum cannot be used with AdaGrad."),
    solver("unsupported-momentum", {"solver_type": "RMSPROP", "momentum": "0.9"},
           "Momentum cannot be used with RMSProp."),
    solver("unknown-solver-type", {"type": '"adam"'}, "Unknown solver type: adam"),
    solver("unknown-solver-type", {"type": '"LBFGS"'}, "Unknown solver type: LBFGS", {"type": '"SGD"'}),
    solver("legacy-solver-type", {"type": '"Adam"', "solver_type": "ADAM"}, BOTH_TYPES),
    solver("legacy-solver-type", {"type": '"Adam"', "solver_type": "SGD"}, BOTH_TYPES, {"solver_type": None}),
    solver("unusable-solver-value", {"average_loss": "0"}, "average_loss should be non-negative."),
    solver("unusable-solver-value", {"regularization_type": '"l2"', "weight_decay": "1"},
           "Unknown regularization type: l2"),
    solver("unusable-solver-value", {"regularization_type": '"L3"', "weight_decay": "1"},
           "Unknown regularization type: L3", {"regularization_type": '"L2"'}),
    solver("unusable-solver-value", {"type": '"RMSProp"', "rms_decay": "1"},
           "rms_decay should lie between 0 and 1.", {"rms_decay": "0.9"}),
    solver("unusable-solver-value", {"lr_policy": '"step"', "stepsize": "1", "gamma": "-1"},
           "Check failed: this->param_.gamma() >= 0", {"gamma": "0.1"}),
    solver("unusable-solver-value", {"lr_policy": '"sigmoid"', "stepsize": "1", "gamma": "-1"},
           "Check failed: this->param_.gamma() >= 0", {"gamma": "0.1"}),
    solver("missing-test-interval", {"test_iter": "1"}, "Check failed: param_.test_interval() > 0",
           {"test_interval": "5"}),
    solver("missing-test-interval", {"test_iter": "1", "test_interval": "0"},
           "Check failed: param_.test_interval() > 0", {"test_interval": "5"}),
    solver("unequal-test-fields", {"test_interval": "5", "test_net": TRAIN}, EACH_TEST_NET, {"test_iter": "1"}),
    solver("unequal-test-fields", {"test_interval": "5", "test_iter": "1", "net": None, "train_net": TRAIN},
           EACH_TEST_NET, {"test_net": TRAIN}),
    solver("unequal-test-fields", {"test_interval": "5", "test_iter": "[1, 1]", "test_state": '[{ stage: "a" }]'},
           "test_state must be unspecified or specified once per test net.", {"test_state": None}),
    solver("several-train-nets", {"net_param": "{ }"},
           "SolverParameter must not contain more than one of these fields specifying a train_net",
           {"net_param": None}),
    solver("missing-net-file", {"net": '"none.prototxt"'}, "File not found: none.prototxt", {"net": TRAIN}),
    solver("wrong-value-type", {"type": "SGD"}, "Expected string, got: SGD", {"type": '"SGD"'}),
    solver("wrong-value-type", {"solver_mode": '"CPU"'}, 'Expected integer or identifier, got: "CPU"',
           {"solver_mode": "CPU"}),
    solver("unknown-enum-value", {"solver_mode": "cpu"}, 'Unknown enumeration value of "cpu"', loosely=True),
    solver("unknown-field", {"base_Ir": "1"}, NO_FIELD % ("SolverParameter", "base_Ir"), {"base_Ir": None},
           loosely=True),
)  # fmt: skip

ABORTS = (*GRAPH, *SHAPES, *OUTPUTS, *BLOBS, *LAYERS, *FORMATS, *PARSER, *SOLVERS)

# Findings that say so, and the test that asks Caffe about them.
ELSEWHERE = {
    "batch-norm-zero-gamma": "fixers.test_aborts.test_only_nvidias_caffe_has_a_scale_filler_in_batch_norm",
    "deploy-drift": "fixers.test_families.test_weights_fit_or_not_as_foretold",
    "duplicate-layer-name": "fixers.test_graph_findings.test_layers_of_one_name_lose_their_weights",
    "legacy-dummy-shapes": "fixers.test_aborts.test_shapes_of_dummy_data_are_given_in_one_way",
    "missing-snapshot-prefix": "fixers.test_aborts.test_todays_caffe_names_snapshots_by_itself",
}

# Findings that speak of a Caffe that is not at hand.
NOT_ASKED = {
    "default-round-mode": "SSD's Caffe and others of before 2018 refuse the field; this one has it",
    "dropout-of-everything": "only builds with assertions abort",
    "forced-engine": "what cuDNN aborts on wants a GPU",
    "grouped-depthwise": "its edit makes a fork's layer: depthwise-layer asks what Caffe says of that",
    "separate-scale": "its edit makes NVIDIA's BatchNorm: nvcaffe-batch-norm asks what Caffe says of that",
}
