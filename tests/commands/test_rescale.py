"""``caffefix rescale-input``: the function of a stored pixel stays, or the net is refused by name."""

from __future__ import annotations

import contextlib
import json
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from caffefix.caffe.mean_image import MeanError, mapped, values
from caffefix.caffe.net import Net
from caffefix.caffe.refusal import Refusal
from caffefix.commands.rescale_input.work import Range, RescaleOptions, rescale
from caffefix.syntax.parse import parse
from caffefix.syntax.scalars import float32, float_text
from caffefix.syntax.source import Source
from tests.conftest import ROOT
from tests.support.deploy_goldens import options, rescale_cases, rescaled
from tests.support.golden import caffefix

CASES = {case.name: case for case in rescale_cases()}


@pytest.mark.parametrize("case", rescale_cases(), ids=lambda case: case.name)
def test_golden(case: Path, tmp_path: Path) -> None:
    """The net is written, its mean file is not; --dry-run shows the same as a diff that git applies."""
    net, before = tmp_path / "net.prototxt", (case / "net.prototxt").read_bytes()
    shown = rescaled(case, tmp_path, "--dry-run")
    assert shown.status == 0
    report = (case / "report.txt").read_text()
    assert shown.err.decode() == report.replace("undo this change, leave", "leave")
    assert net.read_bytes() == before
    here = {path.name for path in tmp_path.iterdir()}
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=shown.out, check=True)
    assert net.read_bytes() == (case / "after.prototxt").read_bytes()
    done = rescaled(case, tmp_path)
    assert done.status == 0
    assert done.out == (case / "report.txt").read_bytes()
    assert net.read_bytes() == (case / "after.prototxt").read_bytes()
    new = {path.name for path in tmp_path.iterdir()} - here
    assert new == ({"mean_0to1.binaryproto"} if "mean.binaryproto" in here else set())


def test_there_and_back_again() -> None:
    """From 0..255 to 0..1 and back is where it was."""
    there, back = CASES["means"], CASES["back"]
    assert (there / "after.prototxt").read_bytes() == (back / "net.prototxt").read_bytes()
    assert (there / "net.prototxt").read_bytes() == (back / "after.prototxt").read_bytes()


numbers = st.floats(-1000, 1000, width=32)


@given(st.floats(0, 255, width=32), st.floats(2**-10, 4, width=32), numbers, st.floats(0.5, 1000, width=32))
def test_what_the_net_sees_stays(mean: float, scale: float, low: float, reach: float) -> None:
    """The new net's own numbers, in double precision, on pixels all over the range."""
    text = f'layer {{ type: "Data" top: "x" transform_param {{ mean_value: {mean!r} scale: {scale!r} }} }}\n'
    try:
        done = rescale(
            Source("n", text.encode()), RescaleOptions(Range(0, 255), Range(low, low + reach)), lambda _: b""
        )
    except Refusal as refusal:  # far from zero, float32 does not tell pixels apart
        event(refusal.name)
        # (A mean in the new range already is taken for that of a net that was rescaled before.)
        assume(refusal.name not in ("not-proved", "mean-in-scaled-units", "mean-not-in-range"))
        raise
    layer = Net(parse(done.data.decode()).root).layers[0]
    new_mean, new_scale = (layer.number("transform_param", name, 0) for name in ("mean_value", "scale"))
    for pixel in (0, 1, 77.7, 254, 255):
        moved = low + reach * pixel / 255
        assert (moved - new_mean) * new_scale == pytest.approx((pixel - mean) * scale, abs=255 * scale * 2e-5)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_numbers_are_written_short_and_exact(number: float) -> None:
    assert float32(float(float_text(number))) == float32(number)
    assert len(float_text(1 / 255)) <= 13


# ---------------------------------------------------------------- mean images


def test_only_the_numbers_of_a_mean_image_change(tmp_path: Path) -> None:
    case = CASES["mean-file"]
    old = (case / "mean.binaryproto").read_bytes()
    assert rescaled(case, tmp_path).status == 0
    assert (tmp_path / "mean.binaryproto").read_bytes() == old
    new = (tmp_path / "mean_0to1.binaryproto").read_bytes()
    assert len(new) == len(old)
    assert new[:10] == old[:10]  # the sizes
    wanted = [float32(value / 255) for value in (*range(90, 101), 122.75)]
    offsets = [0.5 / 255] * 12
    assert values(new) == pytest.approx([w + o for w, o in zip(wanted, offsets, strict=True)], rel=1e-6)


def test_doubles_are_numbers_too_and_other_fields_stay() -> None:
    shape = b"\x3a\x04\x0a\x02\x01\x02"  # shape { dim: 1 dim: 2 }
    data = b"\x42\x10" + struct.pack("<2d", 1.5, -2.0) + b"\x41" + struct.pack("<d", 4.0)
    diff = b"\x32\x04" + struct.pack("<f", 7.0)
    assert values(shape + data + diff) == [1.5, -2.0, 4.0]
    new = mapped(shape + data + diff, 2.0, 1.0)
    assert values(new) == [4.0, -3.0, 9.0]
    assert new.startswith(shape)
    assert new.endswith(diff)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it contains no numbers"),
        (b"\x2a\x03abc", "field 5 does not contain numbers"),
        (b"\x2a\x08abcd", "it is not a BlobProto, or cut off: field 5 at byte 0"),
        (b"\x2b", "it is not a BlobProto: wire type 3 at byte 0"),
        (b"\xff", "it is not a BlobProto, or cut off at byte 1"),
        (b"\x28\x01", "field 5 does not contain numbers"),
    ],
)
def test_what_is_no_mean_image(data: bytes, message: str) -> None:
    with pytest.raises(MeanError, match=message):
        values(data)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(MeanError):
        assert len(values(mapped(data, 1.0, 0.0))) == len(values(data))


# ---------------------------------------------------------------- refusals

TWO = """layer { name: "d" type: "Data" top: "data" top: "label" transform_param { TRAIN } include { phase: 0 } }
layer { name: "d" type: "Data" top: "data" top: "label" transform_param { TEST } include { phase: TEST } }
"""
CONV = (
    'layer { name: "c" type: "Convolution" bottom: "data" top: "c" PARAM '
    "convolution_param { num_output: 2 FILLER } }\n"
)


def both(transform: str, rest: str = "") -> str:
    return TWO.replace("TRAIN }", transform + " }", 1).replace("TEST }", transform + " }", 1) + rest


def conv(filler: str = "", param: str = "") -> str:
    filler = f"weight_filler {{ {filler} }}" if filler else ""
    return both("scale: 0.5", CONV.replace("FILLER", filler).replace("PARAM", param))


FIRST = ["--first-layer"]
REFUSALS: dict[str, tuple[str, list[str], str]] = {
    "no-transform": (
        'layer { type: "HDF5Data" top: "data" }\n', [],
        "n: no-transform: no data layer subtracts a mean and scales (Data, ImageData, MemoryData): nothing",
    ),
    "no-such-blob": (
        both(""),
        ["--blob", "x"],
        "no-transform: no data layer has the first top 'x'; first tops are data",
    ),
    "several-data-blobs": (
        both("") + 'layer { type: "Data" top: "more" }\n', [],
        "several-data-blobs: data layers produce data, more; name the one whose range changes with --blob",
    ),
    "phases-disagree": (
        TWO.replace("TRAIN }", "mean_value: 100 }", 1).replace("TEST }", "}", 1), [],
        'n:2:1: phases-disagree: layer "d" has mean none, scale 1, another phase has mean 100, scale 1: '
        "make them equal first",
    ),
    "eight-bit-source": (
        'layer { name: "d" type: "ImageData" top: "data" transform_param { scale: 0.1 } }\n', [],
        'n:1:1: eight-bit-source: layer "d" of type ImageData reads image files, whose pixels are always 0..255: '
        "there is nothing to rescale",
    ),
    "fork-transform": (
        both("scale: 0.5 expand_param { mean_value: 104 }"), [],
        "fork-transform: transform_param has expand_param, a fork's field that may be in units of pixels",
    ),
    "two-means": (
        both('mean_value: 104 mean_file: "m"'), [],
        "two-means: mean_value and mean_file are both given, so Caffe aborts; delete one of them",
    ),
    "given-twice": (
        both("scale: 1 scale: 2"), [], "n:1:84: given-twice: scale is given twice; run caffefix on it first",
    ),
    "two-transforms": (
        both("scale: 1 } transform_param {"), [],
        "given-twice: transform_param is given twice; run caffefix on it first",
    ),
    "not-proved": (
        'layer { name: "d" type: "Data" top: ["data", "label"] }\n', [],
        "n: not-proved: nothing can be inserted next to top",
    ),
    "no-number": (both("scale: x"), [], "no-number: scale x is not a number"),
    "zero": (both("scale: 0"), [], "no-number: the scale is 0: the net sees only zeros"),
    "normaliser-follows": (
        both("", 'layer { name: "p" type: "Power" bottom: "data" top: "p" power_param { scale: 0.1 } }\n'), [],
        'n:3:1: normaliser-follows: layer "p" of type Power also normalises the input: the range that it expects '
        "is unknown; change its numbers yourself",
    ),
    "mean-in-scaled-units": (
        both("scale: 0.00390625 mean_value: 0.40784313"), [],
        "mean-in-scaled-units: the mean 0.40784314 is in scaled units (mean-in-scaled-units): repair that first",
    ),
    "mean-not-in-range": (
        both("mean_value: 300"), [],
        "n:1:75: mean-not-in-range: the mean 300 is outside 0..255: the pixels are stored in another range",
    ),
    "twice": (
        both("scale: 255 mean_value: 0.4"), [],
        "n:1:86: mean-not-in-range: the mean 0.4 is already within 0..1: it seems that the net has been "
        "rescaled before",
    ),
    "old-format": (
        'layers { layer { name: "d" type: "data" } top: "data" }\n', [],
        "old-format: its layers are of V0; run caffefix on it first",
    ),
    "old-fields": (
        'layers { name: "d" type: DATA top: "data" data_param { scale: 0.1 } }\n', [],
        "old-format: mean and scale are in data_param; run caffefix on it first",
    ),
    "does-not-parse": ("layer {\n", [], "n:"),
    "mean-file-missing": (
        both('mean_file: "m.binaryproto"'), [],
        "n: the mean file m.binaryproto does not exist; run this where you run Caffe",
    ),
    "bad-mean-file": (both('mean_file: "n"'), [], "bad-mean-file: n: it is not a BlobProto"),
    "nothing-reads": (both("scale: 0.5"), FIRST, "first-layer-unknown: no layer reads 'data'"),
    "not-weighted": (
        both("scale: 0.5", 'layer { name: "r" type: "ReLU" bottom: "data" top: "r" }\n'), FIRST,
        'first-layer-not-exact: layer "r" reads the input, but a ReLU has no weights that could absorb',
    ),
    "shared": (conv("", 'param { name: "w" }'), FIRST, "but other layers share its weights"),
    "frozen": (
        conv("", "param { lr_mult: 0 }"), FIRST,
        "but it is frozen: its weights come from a file, which does not change",
    ),
    "filler": (
        conv('type: "positive_unitball"'), FIRST, "but its filler positive_unitball cannot be divided exactly",
    ),
    "sparse": (
        conv('type: "gaussian" sparse: 3'), FIRST,
        "but its filler has sparse or variance_norm, for which no exact rule is known",
    ),
    "fan-in": (
        conv('type: "xavier"'), FIRST,
        'first-layer-unknown: layer "c": xavier depends on the number of inputs (channels of the data), which the '
        "net does not define; give the layer a gaussian filler with a std",
    ),
    "v1-first": (
        'layers { name: "d" type: DATA top: "data" }\n'
        'layers { name: "c" type: CONVOLUTION bottom: "data" top: "c" }\n',
        FIRST, "n:2:1: old-format: its layers are of V1; run caffefix on it first",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_are_named(name: str, tmp_path: Path) -> None:
    text, args, message = REFUSALS[name]
    net = tmp_path / "n"
    net.write_text(text)
    done = caffefix("rescale-input", "n", "--from", "0..255", "--to", "0..1", *args, cwd=tmp_path)
    assert done.status == 2
    assert message in done.err.decode()
    assert net.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["n"]


@pytest.mark.parametrize(
    "given", [["--stored", "0..1"], ["--to", "0..1"], ["--from", "0..255", "--stored", "0..1"]]
)
def test_what_is_assumed_is_said_first(given: list[str], tmp_path: Path) -> None:
    (tmp_path / "n").write_text(both("scale: 0.5 mean_value: 100"))
    done = caffefix("rescale-input", "n", *given, "--dry-run", cwd=tmp_path)
    first = done.err.decode().splitlines()[0]
    assert first == "your stored data will be 0..1 (now 0..255): x' = 0.00392156863 · x"


def test_where_pixels_are_too_large_the_cure_is_named(tmp_path: Path) -> None:
    """Also where the net is not moved; not where it sees the same from data of 0..1, or is fine."""
    cure = "caffefix --select missing-input-scale net.prototxt"
    case = CASES["raw-pixels"]
    shown = rescaled(case, tmp_path, "--dry-run").err.decode()
    assert cure in shown
    assert "undo this change" not in shown
    assert "undo this change" in rescaled(case, tmp_path).out.decode()
    assert cure not in rescaled(CASES["means"], tmp_path, "--dry-run").err.decode()
    assert cure not in rescaled(case, tmp_path, "--from", "0..1", "--stored", "0..2", "--dry-run").err.decode()
    text = (case / "net.prototxt").read_text().replace('type: "Data"', 'type: "ImageData"')
    (tmp_path / "net.prototxt").write_text(
        text.replace("data_param", "image_data_param").replace("backend: LMDB", "")
    )
    done = caffefix("rescale-input", "net.prototxt", "--stored", "0..1", cwd=tmp_path)
    assert done.status == 2
    assert "eight-bit-source" in done.err.decode()
    assert cure in done.err.decode()


def test_the_named_cure_is_one(tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_bytes((CASES["raw-pixels"] / "net.prototxt").read_bytes())
    assert caffefix("--select", "missing-input-scale", net.name, cwd=tmp_path).status == 0
    assert net.read_text().count("scale: 0.00390625") == 2
    assert b"missing-input-scale" not in caffefix("--check", net.name, cwd=tmp_path).out


def test_a_change_that_float_cannot_hold_is_refused(tmp_path: Path) -> None:
    (tmp_path / "n").write_text(both("scale: 0.5 mean_value: 100"))
    done = caffefix("rescale-input", "n", "--from", "0..255", "--to", "1e9..1000000001", cwd=tmp_path)
    assert done.status == 2
    assert "not-proved: the function would change by " in done.err.decode()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--from", "255..0", "--to", "0..1"], "'255..0' is not a range; write 0..255 or -1..1"),
        (["--from", "0-255", "--to", "0..1"], "'0-255' is not a range"),
        (["--stored", "0..255"], "--from and --stored are the same range"),
        ([], "Missing option '--stored'"),
        (["--from", "0..1", "--to", "0..1"], "--from and --stored are the same range"),
    ],
)
def test_wrong_usage(args: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "n").write_text(both(""))
    done = caffefix("rescale-input", "n", *args, cwd=tmp_path)
    assert done.status == 2
    assert message in " ".join(done.err.decode().split())


def test_a_mean_file_of_another_content_is_not_replaced(tmp_path: Path) -> None:
    case = CASES["mean-file"]
    (tmp_path / "mean_0to1.binaryproto").write_bytes(b"mine")
    done = rescaled(case, tmp_path)
    assert done.status == 2
    assert "not written: there is a different file of that name; move it away" in done.err.decode()
    assert (tmp_path / "mean_0to1.binaryproto").read_bytes() == b"mine"
    assert (tmp_path / "net.prototxt").read_bytes() == (case / "net.prototxt").read_bytes()


def test_a_mean_file_is_found_beside_the_net(tmp_path: Path) -> None:
    """Caffe takes the name from the working folder; a net that lies elsewhere may have it beside."""
    case, folder = CASES["mean-file"], tmp_path / "nets"
    folder.mkdir()
    for name in ("net.prototxt", "mean.binaryproto"):
        (folder / name).write_bytes((case / name).read_bytes())
    assert caffefix("rescale-input", "nets/net.prototxt", *options(case), cwd=tmp_path).status == 0
    assert (folder / "mean_0to1.binaryproto").exists()


# ---------------------------------------------------------------- real Caffe


@pytest.mark.caffe
@pytest.mark.parametrize("case", ["first-layer", "first-layer-xavier", "first-layer-msra", "means"])
def test_training_in_real_caffe_is_the_same(case: str, caffe_python: str) -> None:
    """The same losses, step by step, with momentum and weight decay, on data stored anew."""
    sides = []
    for name in ("net.prototxt", "after.prototxt"):
        document = parse((CASES[case] / name).read_text())
        net = Net(document.root)
        transform = net.layers[0].node.message("transform_param")
        assert transform is not None
        body = "".join(document.text[la.node.offset : la.node.end] for la in net.layers if la.bottoms)
        means = [float(value) for value in transform.scalars("mean_value")]
        sides.append({"body": body, "means": means, "scale": float(transform.scalar("scale") or 1)})
    given = options(CASES[case])
    stored = given[given.index("--stored" if "--stored" in given else "--to") + 1]
    high = float(stored.rpartition("..")[2])
    done = subprocess.run(
        [caffe_python, str(ROOT / "tests" / "support" / "rescale_training.py")],
        input=json.dumps({"sides": sides, "factors": [1.0, high / 255]}),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    old, new = json.loads(done.stdout)
    assert new == pytest.approx(old, rel=2e-3)
    assert old[-1] < 0.95 * old[0]
