"""The blob graph: versions, in-place chains, what nothing makes, what is made twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caffefix.caffe.graph import Graph, graph
from caffefix.caffe.net import Net, Phase
from caffefix.syntax.parse import parse


def of(text: str, phase: Phase = Phase.TRAIN) -> Graph:
    return graph(Net(parse(text).root), phase)


def layer(name: str, kind: str, bottoms: str = "", tops: str = "", extra: str = "") -> str:
    blobs = "".join(f' bottom: "{b}"' for b in bottoms.split()) + "".join(f' top: "{t}"' for t in tops.split())
    return f'layer {{ name: "{name}" type: "{kind}"{blobs} {extra} }}\n'


DATA = layer("d", "DummyData", "", "x y")


def test_in_place_layers_make_new_versions() -> None:
    found = of(DATA + layer("a", "ReLU", "x", "x") + layer("b", "TanH", "x", "x") + layer("c", "ReLU", "x", "z"))
    a, b, c = found.steps[1:]
    assert [blob.version for blob in found.chain(a.tops[0])] == [0, 1, 2]
    assert a.tops[0] is b.bottoms[0]
    assert b.tops[0] is c.bottoms[0]
    assert not found.redefined
    assert not found.undefined
    assert found.producer(c.bottoms[0]) is b
    assert list(found.readers(a.tops[0])) == [b]
    assert {blob.name for blob in found.ends()} == {"y", "z"}


def test_a_phase_of_a_fork_is_neither_train_nor_test() -> None:
    """MyCaffe's RUN: what it has is not here, and what it lacks is."""
    text = layer("a", "ReLU", "x", "a", "include { phase: RUN }")
    text += layer("b", "ReLU", "x", "b", "exclude { phase: RUN }")
    for phase in Phase:
        assert [step.layer.name for step in of(DATA + text, phase).steps] == ["d", "b"]


@pytest.mark.parametrize(
    ("text", "redefined"),
    [
        pytest.param(layer("a", "ReLU", "x", "y"), [(1, 0)], id="taken"),
        pytest.param(layer("a", "ReLU", "x", "z") + layer("b", "ReLU", "x", "x"), [(2, 0)], id="read before"),
        pytest.param(layer("b", "ReLU", "x", "x") + layer("a", "ReLU", "x", "z"), [], id="read behind"),
        pytest.param(layer("a", "Eltwise", "x x", "x"), [(1, 0)], id="read twice by itself"),
        pytest.param(layer("a", "Split", "x", "z z"), [(1, 1)], id="named twice"),
        pytest.param(layer("a", "Eltwise", "y x", "x"), [(1, 0)], id="another index"),
        pytest.param(
            layer("a", "EuclideanLoss", "x y", "l", "loss_weight: 1") + layer("b", "Power", "l", "l"),
            [(2, 0)],
            id="a loss is a reader",
        ),
    ],
)
def test_what_caffe_takes_for_in_place(text: str, redefined: list[tuple[int, int]]) -> None:
    assert [(use.step, use.slot) for use in of(DATA + text).redefined] == redefined


def test_undefined_bottoms() -> None:
    found = of(
        DATA + layer("a", "Eltwise", "x u", "z") + layer("b", "ReLU", "u", "v") + layer("c", "ReLU", "z", "u")
    )
    assert [(use.step, use.slot) for use in found.undefined] == [(1, 1), (2, 0)]


def test_phases_and_inputs() -> None:
    text = 'input: "x"\n' + layer("a", "ReLU", "x", "z", "include { phase: TEST }") + layer("b", "ReLU", "z", "w")
    assert [use.slot for use in of(text).undefined] == [0]
    assert not of(text, Phase.TEST).undefined
    assert [blob.name for blob in of(text).inputs] == ["x"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), max_size=12))
def test_upstream_is_what_reaches_a_blob(pairs: list[tuple[str, str]]) -> None:
    text = "".join(layer(f"l{i}", "TanH", bottom, top) for i, (bottom, top) in enumerate(pairs))
    found = of(layer("d", "DummyData", "", "a b c") + text)
    for blob in found.blobs:
        needed, reaching = {blob.index}, []
        for step in reversed(found.steps):
            if needed & {top.index for top in step.tops}:
                needed |= {bottom.index for bottom in step.bottoms}
                reaching.append(step.index)
        assert [step.index for step in found.upstream(blob)] == reaching[::-1]


def test_loss_paths() -> None:
    text = layer("a", "ReLU", "x", "a") + layer("b", "ReLU", "x", "b") + layer("l", "EuclideanLoss", "a y", "l")
    found = of(DATA + text)
    assert {found.blobs[index].name for index in found.to_loss()} == {"x", "a", "y"}


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), max_size=12))
def test_each_bottom_is_the_latest_version(pairs: list[tuple[str, str]]) -> None:
    text = "".join(layer(f"l{i}", "ReLU", b, t) for i, (b, t) in enumerate(pairs))
    found = of(text)
    latest: dict[str, int] = {}
    for step, (bottom, top) in zip(found.steps, pairs, strict=True):
        assert step.bottoms[0].producer == latest.get(bottom)
        assert (bottom in latest) != any(use.step == step.index for use in found.undefined)
        latest[top] = step.index
    assert sum(map(len, found.consumers)) == len(pairs)
