"""What findings about single layers say Caffe does without a word; its aborts are in tests/support/aborts.py."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest

from caffefix.caffe.net import Phase
from tests.fixers.test_caffe import DUMMY, probe
from tests.support.caffe_nets import Job, ask, with_dummy_data
from tests.support.golden import GOLDEN, caffefix

pytestmark = pytest.mark.caffe

DATA = DUMMY % ("3 dim: 8 dim: 8", "")
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "%s" bottom: "label" top: "loss" }\n'


def inner_product(name: str, bottom: str, fields: str = "", layer: str = "", filler: str = "xavier") -> str:
    return (
        f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" {layer}\n'
        f'  inner_product_param {{ num_output: 5 weight_filler {{ type: "{filler}" }} {fields} }} }}\n'
    )


def net(*layers: str) -> str:
    return "".join((DATA, *layers))


def loads(python: str, folder: Path, text: str) -> dict[str, dict[str, float]]:
    file = folder / "net.prototxt"
    file.write_text(text)
    done = probe(python, file)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def found(text: str) -> set[str]:
    done = caffefix("--check", "--format", "json", "-", stdin=text.encode())
    return {d["name"] for d in json.loads(done.out)["files"][0]["findings"]}


def repaired(text: str, *options: str) -> str:
    done = caffefix(*options, "-", stdin=text.encode())
    assert done.status == 0, done.err
    return done.out.decode()


SCORES = inner_product("ip", "data")
LABELLED = SCORES + LOSS % "ip"


def test_one_class_has_no_loss_and_no_gradient(caffe_python: str, tmp_path: Path) -> None:
    text = net(LABELLED.replace("num_output: 5", "num_output: 1")).replace("max: 4.99", "max: 0.5")
    assert "single-class-softmax" in found(text)
    report = loads(caffe_python, tmp_path, text)
    assert report["tops"]["loss"] == 0
    assert report["gradients"]["ip"] == [0, 0]


def test_a_second_softmax_keeps_the_loss_up(caffe_python: str, tmp_path: Path) -> None:
    """Scores of a hundred, all right: the loss is 0 but for the second softmax."""
    softmax = 'layer { name: "p" type: "Softmax" bottom: "sure" top: "p" }\n'
    sure = 'layer { name: "sure" type: "DummyData" top: "sure" dummy_data_param { shape { dim: 2 dim: 10 } } }\n'
    sure += 'layer { name: "only" type: "DummyData" top: "only" dummy_data_param { shape { dim: 2 dim: 1 }'
    sure += " data_filler { value: 100 } } }\n"
    sure = sure.replace("dim: 10 }", "dim: 9 }").replace('"sure"', '"rest"')
    sure += 'layer { name: "sure" type: "Concat" bottom: "only" bottom: "rest" top: "sure" }\n'
    text = net(sure + softmax + LOSS % "p").replace("max: 4.99", "max: 0.5")
    assert "double-softmax" in found(text)
    assert loads(caffe_python, tmp_path, text)["tops"]["loss"] == pytest.approx(1.4612, abs=1e-3)
    after = repaired(text, "--select", "double-softmax")
    assert loads(caffe_python, tmp_path, after)["tops"]["loss"] == pytest.approx(0, abs=1e-6)


def test_testing_prints_a_figure_once_the_loss_has_a_top(caffe_python: str) -> None:
    folder = GOLDEN / "missing-test-output" / "fires"
    fields = (
        "test_interval: 1 test_iter: 1 base_lr: 0.01 lr_policy: 'fixed' max_iter: 1 snapshot_after_train: false"
    )
    jobs = []
    for side in ("before", "after"):
        text = (folder / f"{side}.prototxt").read_text()
        for phase in Phase:
            text = with_dummy_data(text, phase)
        solver = f"net: 'tested.prototxt' solver_mode: CPU {fields}"
        jobs.append(Job(side, solver, beside={"tested.prototxt": text}, steps=1))
    silent, told = ask(caffe_python, jobs)
    assert (silent.abort, silent.log) == (None, [])
    assert told.abort is None
    assert told.log[0].startswith("Test net output #0: loss = 2.")


def test_images_are_scaled_where_caffe_reads_the_scale(caffe_python: str, tmp_path: Path) -> None:
    image = tmp_path / "grey.png"
    image.write_bytes(_grey_png(100))
    (tmp_path / "list.txt").write_text(f"{image} 0\n")
    data = 'layer { name: "data" type: "ImageData" top: "data" top: "label"\n  image_data_param {'
    data += f' source: "{tmp_path / "list.txt"}" batch_size: 1 scale: 0.5 }} }}\n'
    text = data + LABELLED
    assert "ignored-transform-field" in found(text)
    assert loads(caffe_python, tmp_path, text)["tops"]["data"] == 100
    after = repaired(text, "--select", "ignored-transform-field")
    assert loads(caffe_python, tmp_path, after)["tops"]["data"] == 50


def _grey_png(level: int, size: int = 4) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        checked = kind + body
        return len(body).to_bytes(4, "big") + checked + zlib.crc32(checked).to_bytes(4, "big")

    header = size.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    rows = (b"\0" + bytes([level]) * size) * size
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
