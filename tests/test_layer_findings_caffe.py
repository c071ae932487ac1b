"""What findings about single layers say Caffe does, asked of real Caffe before and after."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest

from caffefix.caffe.net import Phase
from tests.caffe_nets import Job, ask, with_dummy_data
from tests.golden import GOLDEN, caffefix
from tests.test_caffe import DUMMY, probe

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


def aborts(python: str, folder: Path, text: str) -> str:
    """What Caffe says as it aborts on a net."""
    file = folder / "net.prototxt"
    file.write_text(text)
    done = probe(python, file)
    assert done.returncode != 0, "Caffe loads the net"
    return done.stderr


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


POOL = 'layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" param { lr_mult: 1 }'
POOL += " pooling_param { kernel_size: 2 } }\n"
SCALE = 'layer { name: "scale" type: "Scale" bottom: "data" top: "scale" param {} param {} }\n'
PAIR = "".join(
    f'layer {{ name: "d" type: "DummyData" top: "d" phase: {phase}\n'
    f"  dummy_data_param {{ shape {{ dim: {n} }} }} }}\n"
    for phase, n in (("TRAIN", 1), ("TEST", 2))
)
SCORES = inner_product("ip", "data")
LABELLED = SCORES + LOSS % "ip"

# Finding -> a net with it, and the words with which Caffe aborts; the repair is caffefix's own.
REPAIRED = {
    "unknown-filler-type": (
        inner_product("ip", "data", filler="Xavier") + LOSS % "ip",
        "Unknown filler name: Xavier",
    ),
    "unknown-filler-type bias": (
        inner_product("ip", "data", 'bias_filler { type: "Constant" }') + LOSS % "ip",
        "Unknown filler name: Constant",
    ),
    "surplus-param": (
        inner_product("ip", "data", "bias_term: false", "param { lr_mult: 1 } param { lr_mult: 2 }") + LOSS % "ip",
        "Too many params specified for layer ip",
    ),
    "surplus-param none": (POOL + LABELLED, "Too many params specified for layer pool"),
    "surplus-param scale": (SCALE + LABELLED, "Too many params specified for layer scale"),
    "phase-on-layer": (PAIR + LABELLED, "Top blob 'd' produced by multiple sources."),
}


@pytest.mark.parametrize("name", REPAIRED)
def test_caffe_aborts_with_these_words_and_loads_what_is_repaired(
    caffe_python: str, tmp_path: Path, name: str
) -> None:
    layers, words = REPAIRED[name]
    text = net(layers)
    assert name.split()[0] in found(text)
    assert words in aborts(caffe_python, tmp_path, text)
    loads(caffe_python, tmp_path, repaired(text))


# Finding -> a net with it, the words with which Caffe aborts, and an edit by hand that ends it.
BY_HAND = {
    "mismatched-shared-params": (
        inner_product("ip", "data", layer="param { name: 'w' lr_mult: 1 }")
        + inner_product("ip2", "data", layer="param { name: 'w' lr_mult: 2 }")
        + LOSS % "ip",
        "Shared param 'w' has mismatched lr_mult.",
        ("lr_mult: 2", "lr_mult: 1.0"),
    ),
    "mismatched-shared-params decay": (
        inner_product("ip", "data", layer="param { name: 'w' lr_mult: 1 decay_mult: 1 }")
        + inner_product("ip2", "data", layer="param { name: 'w' decay_mult: 0 }")
        + LOSS % "ip",
        "Shared param 'w' has mismatched decay_mult.",
        ("decay_mult: 0", ""),
    ),
    "include-and-exclude": (
        LABELLED.replace('top: "loss"', 'top: "loss" include { phase: TRAIN } exclude { phase: TEST }'),
        "Specify either include rules or exclude rules; not both.",
        ("exclude { phase: TEST }", ""),
    ),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_caffe_aborts_with_these_words(caffe_python: str, tmp_path: Path, name: str) -> None:
    layers, words, (old, new) = BY_HAND[name]
    text = net(layers)
    assert name.split()[0] in found(text)
    assert words in aborts(caffe_python, tmp_path, text)
    mended = text.replace(old, new)
    assert name.split()[0] not in found(mended)
    loads(caffe_python, tmp_path, mended)


# Layers of the wrong number of blobs, and the right number: type -> bottoms and tops, wrong and right.
COUNTS = {
    "ReLU": ((["ip", "ip2"], ["r", "s"]), (["ip"], ["r"])),
    "Softmax": (([], ["r"]), (["ip"], ["r"])),
    "Eltwise": ((["ip"], ["r"]), (["ip", "ip2"], ["r"])),
    "Concat": (([], ["r"]), (["ip"], ["r"])),
    "Scale": ((["ip", "ip2", "data"], ["r"]), (["ip"], ["r"])),
    "Accuracy": ((["ip"], ["r"]), (["ip", "label"], ["r"])),
    "EuclideanLoss": ((["ip"], ["r"]), (["ip", "ip2"], ["r"])),
    "SoftmaxWithLoss": ((["ip"], ["r"]), (["ip", "label"], ["r"])),
    "Silence": ((["ip"], ["r"]), (["ip"], [])),
    "Slice": ((["ip", "ip2"], ["r"]), (["ip"], ["r"])),
    "Crop": ((["data"], ["r"]), (["data", "data"], ["r"])),
    "BatchNorm": ((["data", "ip"], ["r"]), (["data"], ["r"])),
    "LRN": ((["data"], ["r", "s"]), (["data"], ["r"])),
    "Flatten": ((["data"], []), (["data"], ["r"])),
}


@pytest.mark.parametrize("kind", COUNTS)
def test_caffe_counts_blobs(caffe_python: str, tmp_path: Path, kind: str) -> None:
    def text(bottoms: list[str], tops: list[str]) -> str:
        blobs = "".join(f'bottom: "{b}" ' for b in bottoms) + "".join(f'top: "{t}" ' for t in tops)
        layer = f'layer {{ name: "x" type: "{kind}" {blobs} }}\n'
        return net(LABELLED, inner_product("ip2", "data"), layer)

    wrong, right = COUNTS[kind]
    assert "wrong-blob-count" in found(text(*wrong))
    said = aborts(caffe_python, tmp_path, text(*wrong))
    assert f"{kind} Layer takes" in said or f"{kind} Layer produces" in said
    assert "wrong-blob-count" not in found(text(*right))
    loads(caffe_python, tmp_path, text(*right))


def test_hdf5_data_with_a_transform_aborts_before_it_looks_for_its_files(
    caffe_python: str, tmp_path: Path
) -> None:
    layer = 'layer { name: "x" type: "HDF5Data" top: "x" transform_param { scale: 0.5 }'
    layer += ' hdf5_data_param { source: "no-such-list.txt" batch_size: 1 } }\n'
    text = net(layer + LABELLED)
    assert "transform-on-hdf5-data" in found(text)
    assert "HDF5Data does not transform data." in aborts(caffe_python, tmp_path, text)
    assert "Failed to open source file: no-such-list.txt" in aborts(caffe_python, tmp_path, repaired(text))


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
