"""The exact analysis, on small nets whose fate is known from training them."""

from __future__ import annotations

import pytest

from caffefix.caffe.net import Net, Phase
from caffefix.evidence.liveness import dead_weights
from caffefix.syntax.parse import parse

ZERO = ""
SCALED_BY_ZERO = 'type: "Power" power_param { scale: 0 }'
FROZEN = "param { lr_mult: 0 } param { lr_mult: 0 }"
FILLED = ' weight_filler { type: "gaussian" std: 0.01 }'


def dead(*layers: str) -> set[str]:
    """Dead layers of a net between data and loss; names of blobs are chained in order."""
    text = 'layer { name: "data" type: "Data" top: "b0" top: "label" }\n'
    for index, layer in enumerate(layers):
        text += f'layer {{ name: "l{index}" bottom: "b{index}" top: "b{index + 1}" {layer} }}\n'
    text += f'layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "b{len(layers)}" bottom: "label" }}\n'
    return {layer.name for layer in dead_weights(Net(parse(text).root).view(Phase.TRAIN))}


def ip(filler: str, bias: float | None = None, extra: str = "") -> str:
    offset = f' bias_filler {{ type: "constant" value: {bias} }}' if bias is not None else ""
    return f'type: "InnerProduct" inner_product_param {{ num_output: 4{filler}{offset} }} {extra}'


CLIP = 'type: "Clip" clip_param'
RELU = 'type: "ReLU"'
BN = 'type: "BatchNorm"'
SCALE = 'type: "Scale" scale_param { bias_term: true }'


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param([ip(FILLED), RELU, ip(ZERO)], set(), id="only the last layer zero"),
        pytest.param([ip(ZERO), RELU, ip(FILLED)], {"l0", "l2"}, id="hidden zero, ReLU"),
        pytest.param([ip(ZERO), RELU, ip(ZERO)], {"l0", "l2"}, id="two zero, ReLU"),
        pytest.param([ip(ZERO), ip(ZERO)], {"l0", "l1"}, id="two zero, linear"),
        pytest.param([ip(ZERO), BN, RELU, ip(FILLED)], {"l0", "l3"}, id="zero, BatchNorm, ReLU"),
        pytest.param([ip(ZERO), BN, SCALE, RELU, ip(FILLED)], {"l0", "l4"}, id="zero, BatchNorm, Scale, ReLU"),
        pytest.param([ip(ZERO, 0.1), RELU, ip(FILLED)], set(), id="positive bias, ReLU"),
        pytest.param([ip(ZERO, -0.1), RELU, ip(FILLED)], {"l0", "l2"}, id="negative bias, ReLU"),
        pytest.param([ip(ZERO, 0.1), RELU, ip(ZERO)], set(), id="both zero, hidden bias"),
        pytest.param([ip(ZERO), 'type: "Sigmoid"', ip(FILLED)], set(), id="zero, sigmoid"),
        pytest.param([ip(ZERO), 'type: "Sigmoid"', ip(ZERO)], set(), id="both zero, sigmoid"),
        pytest.param([ip(ZERO), 'type: "TanH"', ip(ZERO)], {"l0", "l2"}, id="both zero, tanh"),
        pytest.param([ip(ZERO), ip(FILLED)], set(), id="hidden zero, linear"),
        pytest.param([ip(ZERO), 'type: "PReLU"', ip(FILLED)], set(), id="zero, PReLU"),
        pytest.param([ip(ZERO), 'type: "ELU"', ip(FILLED)], set(), id="zero, ELU"),
        pytest.param(
            [ip(ZERO), 'type: "ReLU" relu_param { negative_slope: 0.1 }', ip(FILLED)], set(), id="leaky ReLU"
        ),
        pytest.param([ip(ZERO), 'type: "AbsVal"', ip(FILLED)], {"l0", "l2"}, id="absolute value"),
        pytest.param([ip(ZERO), f"{CLIP} {{ min: 0 max: 6 }}", ip(FILLED)], set(), id="at a bound of Clip"),
        pytest.param([ip(ZERO), f"{CLIP} {{ min: 1 max: 6 }}", ip(FILLED)], {"l0"}, id="below Clip"),
        pytest.param([ip(ZERO), 'type: "Python"', ip(ZERO)], set(), id="unknown layers are taken to be alive"),
        pytest.param(
            [ip(ZERO, extra=FROZEN), ip(FILLED)],
            {"l1"},
            id="frozen at zero: what follows starves",
        ),
        pytest.param(
            [ip(FILLED), 'type: "Scale" scale_param { filler { value: 0 } }', RELU, ip(FILLED)],
            {"l0", "l3"},
            id="gamma zero, ReLU",
        ),
        pytest.param([ip(FILLED), SCALED_BY_ZERO, ip(FILLED)], {"l0", "l2"}, id="scaled by zero"),
    ],
)
def test_verdicts(layers: list[str], expected: set[str]) -> None:
    assert dead(*layers) == expected


def test_branches() -> None:
    """A dead branch beside a live one; a blob with two consumers; an in-place layer."""
    text = """
    layer { name: "data" type: "Data" top: "x" top: "label" }
    layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" inner_product_param { num_output: 4 } }
    layer { name: "ra" type: "ReLU" bottom: "a" top: "a" }
    layer { name: "a2" type: "InnerProduct" bottom: "a" top: "a2" inner_product_param { num_output: 4 } }
    layer { name: "b" type: "InnerProduct" bottom: "x" top: "b"
            inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
    layer { name: "sum" type: "Eltwise" bottom: "a2" bottom: "b" top: "s" }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "s" bottom: "label" }
    """
    layers = Net(parse(text).root).view(Phase.TRAIN)
    assert {layer.name for layer in dead_weights(layers)} == {"a", "a2"}
    text = text.replace(
        'num_output: 4 } }\n    layer { name: "ra"',
        'num_output: 4 weight_filler {type:"msra"} } }\n    layer { name: "ra"',
    )
    assert not dead_weights(Net(parse(text).root).view(Phase.TRAIN))


def test_open_ends_are_alive() -> None:
    text = 'layer { name: "a" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 4 } }'
    layers = Net(parse(text).root).layers
    assert dead_weights(layers)
    assert not dead_weights(layers, open_ended=True)


@pytest.mark.parametrize(
    ("layer", "bias", "expected"),
    [
        ('type: "ReLU6"', None, {"l0", "l2"}),
        ('type: "ReLU6"', -0.1, {"l0", "l2"}),
        ('type: "SELU"', None, {"l0", "l2"}),
        ('type: "Upsample" upsample_param { scale: 2 }', None, {"l0", "l2"}),
        ('type: "Interp" interp_param { zoom_factor: 2 }', None, {"l0", "l2"}),
        ('type: "Interp" interp_param { zoom_factor: 2 }', 0.1, set()),
        ('type: "Normalize" norm_param { }', None, {"l0", "l2"}),
    ],
)
def test_layers_of_forks(layer: str, bias: float | None, expected: set[str]) -> None:
    """Between two layers of zeros: zeros stay zeros, and the sign of a constant is kept or is not known."""
    assert dead(ip(ZERO, bias), layer, ip(ZERO)) == expected


def test_a_region_of_zeros_is_zeros() -> None:
    text = """
    layer { name: "in" type: "Data" top: "x" top: "label" top: "rois" }
    layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 2 kernel_size: 1 } }
    layer { name: "r" type: "ROIPooling" bottom: "c" bottom: "rois" top: "r" }
    layer { name: "f" type: "InnerProduct" bottom: "r" top: "f" inner_product_param { num_output: 2 } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "f" bottom: "label" top: "loss" }
    """
    layers = Net(parse(text).root).view(Phase.TRAIN)
    assert {layer.name for layer in dead_weights(layers)} == {"c", "f"}


def test_what_is_scaled_by_zeros_and_added_to() -> None:
    """SENet's Axpy: a · x + y is y where a is zero."""
    text = """
    layer { name: "in" type: "Data" top: "x" top: "label" }
    layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" inner_product_param { num_output: 2 } }
    layer { name: "y" type: "Convolution" bottom: "x" top: "y" convolution_param { num_output: 2 kernel_size: 1 } }
    layer { name: "m" type: "Axpy" bottom: "a" bottom: "x" bottom: "y" top: "m" }
    layer { name: "f" type: "InnerProduct" bottom: "m" top: "f" inner_product_param { num_output: 2 } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "f" bottom: "label" top: "loss" }
    """
    layers = Net(parse(text).root).view(Phase.TRAIN)
    assert {layer.name for layer in dead_weights(layers)} == {"a", "y", "f"}
    revived = [layer for layer in layers if layer.name == "y"]
    assert {layer.name for layer in dead_weights(layers, filled=revived)} == set()
