"""Names that the sources of a repository's own Caffe register."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from caffefix.caffe.registry import Form, Kind
from caffefix.zoo.own_caffe import OwnCaffes

pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install 'caffefix[test]'")

from tests.support.own_caffes import make


def names_of(kind: Kind, form: Form, *texts: str) -> set[str]:
    from caffefix.caffe.own.sources import registered

    found = registered(text.encode() for text in texts)
    return {name for k, f, name in found.names if (k, f) == (kind, form)}


@pytest.mark.parametrize(
    ("kind", "form", "text", "expected"),
    [
        (Kind.LAYER, Form.STRING, "  REGISTER_LAYER_CLASS(\n  Convolution );", {"Convolution"}),
        (Kind.LAYER, Form.STRING, "#define REGISTER_LAYER_CLASS(type) x\nREGISTER_LAYER_CREATOR(Ab, x)", {"Ab"}),
        (Kind.LAYER, Form.STRING, "/* REGISTER_LAYER_CLASS(Ab); */ // \n/*\nREGISTER_LAYER_CLASS(Cd);*/", set()),
        (Kind.LAYER, Form.STRING, 's = "/*";\nREGISTER_LAYER_CLASS(Ab); // */', {"Ab"}),
        (Kind.LAYER, Form.ENUM, "REGISTER_LAYER_CLASS(RELU, ReLULayer);", {"RELU"}),
        (Kind.LAYER, Form.ENUM, "  case LayerParameter_LayerType_RELU:\n return x;", {"RELU"}),
        (Kind.LAYER, Form.ENUM, ' case V1LayerParameter_LayerType_RELU: return "ReLU";', set()),
        (Kind.SOLVER, Form.STRING, "REGISTER_SOLVER_CLASS(Adam);", {"Adam"}),
        (Kind.SOLVER, Form.ENUM, "case SolverParameter_SolverType_ADAGRAD:", {"ADAGRAD"}),
        (Kind.POLICY, Form.STRING, 'lr_policy == "step" || lr_policy() == "poly"', {"step", "poly"}),
        (Kind.FILLER, Form.STRING, 'GetFiller(const FillerParameter& p) {\n type == "a" \n}\n type == "b"', {"a"}),
    ],
)  # fmt: skip
def test_names_in_sources(kind: Kind, form: Form, text: str, expected: set[str]) -> None:
    assert names_of(kind, form, text) == expected


def test_sources_are_read_in_time_by_their_length() -> None:
    """No assertion on time: what is quadratic does not end."""
    for text in ("/*" * 500_000, '"\\' * 500_000, "case " * 200_000, "REGISTER_LAYER_CLASS(" * 50_000,
                 "GetFiller(const FillerParameter&" * 3_000, "  " * 500_000 + "\t" * 500_000):  # fmt: skip
        assert names_of(Kind.LAYER, Form.STRING, text) == set()


def test_git_itself_makes_the_bound(tmp_path: Path) -> None:
    root = make(tmp_path / "own", "bvlc")
    assert subprocess.run(["git", "-C", str(root), "rev-parse"], check=False).returncode == 0
    assert OwnCaffes().of(str(root / "examples/mnist")).caffes is not None
