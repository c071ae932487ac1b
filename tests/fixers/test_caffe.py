"""Real Caffe's verdict before and after a repair."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.golden import GOLDEN, ROOT, caffefix

pytestmark = pytest.mark.caffe

PROBE = ROOT / "tests" / "support" / "caffe_probe.py"

DUMMY = """
layer {
  name: "dummy"
  type: "DummyData"
  top: "data"
  top: "label"
  dummy_data_param {
    shape { dim: 2 dim: %s }
    shape { dim: 2 %s }
    data_filler { type: "gaussian" std: 58 }
    data_filler { type: "uniform" min: 0 max: 4.99 }
  }
}
"""


def probe(python: str, net: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, str(PROBE), str(net)], capture_output=True, text=True, check=False, timeout=600)


def state(python: str, folder: Path, text: str) -> dict[str, dict[str, object]]:
    net = folder / "net.prototxt"
    net.write_text(text)
    done = probe(python, net)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def with_dummy_data(text: str, keyword: str) -> str:
    """The net with its data layers replaced by noise of the size of mean-free images."""
    text = re.sub(keyword + r' \{\n  name: "training_\w+"\n.*?\n\}\n', "", text, flags=re.S)
    layer = DUMMY % ("3 dim: 224 dim: 224", "")
    if keyword == "layers":
        layer = layer.replace("layer {", "layers {").replace('"DummyData"', "DUMMY_DATA")
    return layer.lstrip() + text.replace("label values", "label")


def repaired(text: str) -> str:
    done = caffefix("-", stdin=text.encode())
    assert done.status == 0, done.err
    return done.out.decode()


def zero_tops(report: dict[str, dict[str, object]]) -> set[str]:
    return {name for name, value in report["tops"].items() if value == 0 and name not in ("label",)}


def test_seed_000_comes_to_life(caffe_python: str, tmp_path: Path) -> None:
    original = (GOLDEN / "seeds/s000_train/before.prototxt").read_text()
    before = state(caffe_python, tmp_path, with_dummy_data(original, "layers"))
    assert {"conv2", "conv5", "fc6", "fc7", "fc8"} <= zero_tops(before)
    assert before["gradients"]["fc8_cat"][0] == 0  # type: ignore[index]

    after = state(caffe_python, tmp_path, with_dummy_data(repaired(original), "layer"))
    assert not zero_tops(after)
    # conv1 to conv5 have lr_mult 0 in the file: Caffe computes no gradient for them.
    for name in ("fc6", "fc7", "fc8_cat"):
        assert after["gradients"][name][0] > 0, name  # type: ignore[index]


@pytest.mark.slow
def test_seed_003_comes_to_life(caffe_python: str, tmp_path: Path) -> None:
    fragment = (GOLDEN / "seeds/s003_fragment_b/before.prototxt").read_text()

    def whole(text: str) -> str:
        score = 'layer { name: "score" type: "InnerProduct" bottom: "conv1_2p" top: "score" '
        score += 'inner_product_param { num_output: 5 weight_filler { type: "gaussian" std: 0.01 } } }\n'
        pool = 'layer { name: "pool" type: "Pooling" bottom: "conv1_2" top: "conv1_2p" '
        pool += "pooling_param { pool: AVE global_pooling: true } }\n"
        loss = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }\n'
        return (
            (DUMMY % ("3 dim: 16 dim: 16", ""))
            + text
            + "\n"
            + pool
            + score.replace('"conv1_2"', '"conv1_2p"')
            + loss
        )

    before = state(caffe_python, tmp_path, whole(fragment))
    assert {"conv1_1", "conv1_2"} <= zero_tops(before)
    assert before["gradients"]["conv1_1"][0] == 0  # type: ignore[index]
    after = state(caffe_python, tmp_path, whole(repaired(fragment)))
    assert not zero_tops(after)
    for name in ("conv1_1", "conv1_2", "score"):
        assert after["gradients"][name][0] > 0, name  # type: ignore[index]


# Labels for each golden net: one an image, or one a pixel (5x5 -> 3x3 -> upsampled to 8x8 -> 6x6).
LABELS = {"fires": "", "shared-weights": "", "explicit-zero-and-bilinear": "dim: 1 dim: 6 dim: 6"}


@pytest.mark.parametrize(("kind", "label"), LABELS.items())
def test_golden_nets_come_to_life(caffe_python: str, tmp_path: Path, kind: str, label: str) -> None:
    case = GOLDEN / "missing-weight-filler" / kind

    def gradients(name: str) -> list[float]:
        text = (case / name).read_text()
        data = DUMMY % ("3 dim: 5 dim: 5", label)
        text = re.sub(r'layer \{\n  name: "data".*?\n\}\n', data, text, count=1, flags=re.S)
        report = state(caffe_python, tmp_path, text)
        return [values[0] for values in report["gradients"].values()]  # type: ignore[index]

    assert not any(gradients("before.prototxt"))
    assert all(gradients("after.prototxt"))
