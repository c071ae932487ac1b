"""Migration means what Caffe's own upgrade means: compared with what real Caffe's tools printed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format

from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.syntax import comments
from caffefix.syntax.parse import parse
from caffefix.syntax.source import Source
from tests.caffe.test_schema import oracle
from tests.conftest import SHARED, or_skip
from tests.support.descriptors import message_class

UPGRADED = [row for row in oracle() if row[3] == "upgraded"]

# Caffe's upgrade drops fields of these without a word; they are left alone, and the field is named.
LEFT_ALONE = {
    "BVLC__caffe/@4a5527df6d/prototxt/imagenet_val_constant.prototxt",
    "kevinlin311tw__caffe-cvprw15/examples/cvprw15-cifar10/test_CIFAR10_48.prototxt",
    "kevinlin311tw__caffe-cvprw15/examples/cvprw15-cifar10/train_CIFAR10_48.prototxt",
}
# What Caffe's layers read as it stands, so that its upgrade leaves it.
NOT_UPGRADED = ("legacy-axis-fields", "legacy-dummy-shapes")
# Inputs without any shape: Caffe's upgrade drops them, with a warning to nobody.
NO_SHAPES = {
    "BVLC__caffe/@474884582a/src/caffe/test/data/lenet.prototxt",
    "BVLC__caffe/@474884582a/src/caffe/test/data/simple_conv.prototxt",
}


def migrated(path: Path) -> tuple[Source, bytes]:
    source = Source(path.name, path.read_bytes())
    result = repair(source, Request(Selection(select=("legacy-*",), ignore=NOT_UPGRADED)))
    assert not result.status.failed, result.reason
    return source, result.new or source.data


def message(kind: Any, text: str) -> Any:
    found = text_format.Parse(text.encode("latin-1").decode("utf-8", "replace"), kind())
    for layer in getattr(found, "layer", ()):
        if layer.HasField("transform_param") and not layer.transform_param.ByteSize():
            layer.ClearField("transform_param")  # Caffe's upgrade may add an empty one
        if layer.type == b"BatchNorm" and len(layer.param) == 3:
            for param in layer.param:  # UpgradeNetBatchNorm; here the finding batch-norm-lr-mult
                param.lr_mult = param.decay_mult = 0
    return found


def check(row: list[str]) -> None:
    name, tool = row[0], row[1]
    source, new = migrated(SHARED / "corpus" / name)
    if name in LEFT_ALONE:
        assert new == source.data
        return
    kind = message_class("bvlc", "SolverParameter" if tool == "solver" else "NetParameter")
    if name in NO_SHAPES:  # Caffe drops the inputs; here they stay, and are reported
        new = b"\n".join(line for line in new.split(b"\n") if not line.startswith(b"input:"))
    theirs = (SHARED / "oracle/upgraded" / name).read_bytes().decode("latin-1")
    assert message(kind, new.decode("latin-1")) == message(kind, theirs), name
    before = Counter(c.text for c in comments.owned(parse(source.text)))
    after = Counter(c.text for c in comments.owned(parse(new.decode("latin-1"))))
    assert before == after, name


@pytest.mark.parametrize("row", or_skip(UPGRADED[::6], lambda row: row[0]))
def test_a_sample_means_what_caffe_makes_of_it(row: list[str]) -> None:
    check(row)


@pytest.mark.slow
def test_all_that_caffe_upgrades_mean_what_it_makes_of_them(shared: Path) -> None:
    for row in UPGRADED:
        check(row)
    assert len(UPGRADED) == 294


def test_what_caffe_calls_inconsistent_is_migrated(shared: Path) -> None:
    rows = [row for row in oracle() if "inconsistent" in row[5]]
    kind = message_class("bvlc", "NetParameter")
    for row in rows:
        _, new = migrated(SHARED / "corpus" / row[0])
        found = text_format.Parse(new.decode("latin-1"), kind())
        assert len(found.layer) > 0
        assert not found.layers
