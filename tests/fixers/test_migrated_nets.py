"""Migrated nets compute what the originals compute: real Caffe and OpenCV are asked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from caffefix.caffe.dialect import root_type
from caffefix.caffe.net import Layer, Net
from caffefix.caffe.roles import is_source
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.syntax.edits import Before, Delete, Insert, NewField
from caffefix.syntax.lowering import apply, lower
from caffefix.syntax.parse import parse
from caffefix.syntax.source import Source
from tests.caffe.test_schema import oracle
from tests.conftest import ROOT, SHARED

OUTPUTS = ROOT / "tests" / "support" / "caffe_outputs.py"
NETS = [row[0] for row in oracle() if row[3] == "upgraded" and row[1] == "net"]
BATCH, CHANNELS, SIZE = 2, 3, 227


def with_inputs(text: str) -> str:
    """The net with its data layers replaced by ``input`` fields, which every generation has."""
    document = parse(text)
    if root_type(document) != "NetParameter":
        return text
    sources = [layer for layer in Net(document.root).layers if _is_data(layer)]
    if not sources:
        return text
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in sources:
        size = _crop(layer)
        for index, top in enumerate(layer.tops or layer.node.strings("top")):
            shapes[top] = (BATCH, 1, 1, 1) if index else (BATCH, CHANNELS, size, size)
    fields = []
    for top, shape in shapes.items():
        fields += [NewField("input", top, string=True), *(NewField("input_dim", str(dim)) for dim in shape)]
    first = next(document.root.children())
    edits = [Insert(Before(first), tuple(fields)), *(Delete(layer.node) for layer in sources)]
    return apply(text, lower(document, edits, ""))


def _is_data(layer: Layer) -> bool:
    inner = layer.node.message("layer")
    if inner is not None:
        return inner.string("type") in ("data", "images", "hdf5_data", "window_data")
    return is_source(layer) and layer.type not in ("DummyData", "Python", "Parameter")


def _crop(layer: Layer) -> int:
    for holder in (
        layer.node.message("transform_param"),
        layer.node.message("layer"),
        layer.node.message("data_param"),
    ):
        for name in ("crop_size", "cropsize"):
            if holder is not None and holder.has(name):
                return int(holder.scalar(name) or SIZE)
    return SIZE


def migrated(text: str) -> str:
    result = repair(Source("net", text.encode("latin-1")), Request(Selection(select=("legacy-*",))))
    assert not result.status.failed, result.reason
    return (result.new or text.encode("latin-1")).decode("latin-1")


def reports(python: str, folder: Path, texts: list[str]) -> list[dict[str, dict[str, object]]]:
    """What real Caffe says of each text."""
    paths = []
    for index, text in enumerate(texts):
        path = folder / f"{index}.prototxt"
        path.write_bytes(text.encode("latin-1"))
        paths.append(str(path))
    done = subprocess.run(
        [python, str(OUTPUTS)], input="\n".join(paths), capture_output=True, text=True, check=True, cwd=folder
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def compare(python: str, folder: Path, names: list[str]) -> Counter[str]:
    """Outcomes by kind; asserts that no net computes anything else than before."""
    texts = [with_inputs((SHARED / "corpus" / name).read_bytes().decode("latin-1")) for name in names]
    both = [text for old in texts for text in (old, migrated(old))]
    found = reports(python, folder, both)
    outcomes: Counter[str] = Counter()
    for name, old, new in zip(names, found[::2], found[1::2], strict=True):
        for phase in ("TRAIN", "TEST"):
            assert old[phase] == new[phase] or "reason" in old[phase], (
                name,
                phase,
                _first(old[phase], new[phase]),
            )
            outcomes[str(old[phase].get("reason", "same outputs")).partition(" (")[0][:70]] += 1
    return outcomes


def _first(old: dict[str, object], new: dict[str, object]) -> object:
    if "reason" in new:
        return new["reason"]
    for part in ("types", "shapes", "outputs"):
        if old[part] != new[part]:
            return part, old[part], new[part]
    return None


@pytest.mark.caffe
@pytest.mark.slow
def test_one_in_twelve_computes_the_same(shared: Path, caffe_python: str, tmp_path: Path) -> None:
    names = NETS[::12]
    assert compare(caffe_python, tmp_path, names)["same outputs"] > len(names)


# ---------------------------------------------------------------- OpenCV

READER = """
import json, sys, cv2
for path in sys.stdin.read().split("\\n"):
    try:
        net = cv2.dnn.readNetFromCaffe(path)
        names = net.getLayerNames()
        print(json.dumps([[n, net.getLayer(net.getLayerId(n)).type] for n in names]), flush=True)
    except cv2.error as error:
        print(json.dumps(str(error)[:80]), flush=True)
"""


def layers_in_opencv(paths: list[Path]) -> list[object]:
    """Names and types of the layers that OpenCV sets up, or its complaint; None where it died."""
    found: list[object] = []
    while len(found) < len(paths):
        rest = "\n".join(map(str, paths[len(found) :]))
        done = subprocess.run(
            [sys.executable, "-c", READER], input=rest, capture_output=True, text=True, check=False
        )
        found += [json.loads(line) for line in done.stdout.splitlines()]
        if len(found) < len(paths):
            found.append(None)
    return found


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_deploy_nets_load_in_opencv_as_before(shared: Path, tmp_path: Path, every: int) -> None:
    pytest.importorskip("cv2", reason="needs opencv-python-headless<5")
    paths = []
    for index, name in enumerate(NETS[::every]):
        text = (shared / "corpus" / name).read_bytes().decode("latin-1")
        if not parse(text).root.has("input"):
            continue
        for kind, content in (("old", text), ("new", migrated(text))):
            paths.append(tmp_path / f"{index}-{kind}.prototxt")
            paths[-1].write_bytes(content.encode("latin-1"))
    found = layers_in_opencv(paths)
    same = 0
    for path, old, new in zip(paths[::2], found[::2], found[1::2], strict=True):
        if isinstance(old, list):
            assert old == new, path
            same += 1
    assert same > len(paths) / 4
