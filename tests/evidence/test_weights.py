"""Reading model files: all ways in which numbers are stored, and files that are no models."""

from __future__ import annotations

import math
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caffefix.caffe.wire import Bytes, OpenFile, WireError, fields
from caffefix.evidence.weights.binary import read_model
from caffefix.evidence.weights.model import Model
from caffefix.evidence.weights.numbers import look
from tests.support.models import blob, layer, layer_v0, layer_v1, model, number, text, values

SHAPE = (4, 3)
FORMS = {
    "packed": blob(SHAPE),
    "unpacked": blob(SHAPE, packed=False),
    "doubles": blob(SHAPE, double=True),
    "unpacked-doubles": blob(SHAPE, packed=False, double=True),
    "raw-floats": blob(SHAPE, raw="f"),
    "raw-doubles": blob(SHAPE, raw="d"),
    "raw-halves": blob(SHAPE, raw="e"),
    "two-parts": text(7, text(1, b"\x04\x03")) + text(5, struct.pack("<5f", *values(SHAPE)[:5]))
    + text(5, struct.pack("<7f", *values(SHAPE)[5:])),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("generation", ["V0", "V1", "V2"])
def test_numbers_in_every_form(form: str, generation: str) -> None:
    blobs = FORMS[form]
    made = {
        "V0": layer_v0("a", "conv", blobs),
        "V1": layer_v1("a", 4, blobs),
        "V2": layer("a", "Convolution", blobs),
    }
    store = Bytes(model(made[generation]))
    found = read_model(store)
    assert found.generation == generation
    (one,) = found.layers
    seen = look(store, one.blobs[0])
    assert (one.name, one.blobs[0].shape, seen.count) == ("a", SHAPE, 12)
    assert seen.mean_abs == pytest.approx(sum(values(SHAPE)) / 12)
    assert (seen.low, seen.high, seen.zeros) == (0.5, 1.875, 0)


def seen(shape: tuple[int, ...], data: list[float]) -> object:
    store = Bytes(model(layer("a", "InnerProduct", blob(shape, data=data))))
    return look(store, read_model(store).layers[0].blobs[0])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([0.0] * 6, {"all_zero": True, "zero_rows": 3, "equal_rows": False, "mean_abs": 0.0}),
        ([1.0, 2.0] * 3, {"all_zero": False, "equal_rows": True, "zero_rows": 0}),
        ([1.0, 2.0, 0.0, 0.0, 1.0, 2.0], {"zero_rows": 1, "equal_rows": False, "zeros": 2}),
        ([math.nan, math.inf, -math.inf, 1.0, -2.0, 0.0], {"nans": 1, "infinite": 2, "low": -2.0, "high": 1.0}),
        ([], {"count": 0, "all_zero": False}),
    ],
)
def test_what_numbers_look_like(data: list[float], expected: dict[str, object]) -> None:
    found = seen((3, 2), data)
    assert {name: getattr(found, name) for name in expected} == expected


def test_a_long_run_of_single_numbers_is_read_in_parts(tmp_path: Path) -> None:
    count = 300_000
    data = model(layer("a", "InnerProduct", blob((count,), data=[1.0] * count, packed=False), blob((1,))))
    path = tmp_path / "m.caffemodel"
    path.write_bytes(data)
    handle = os.open(path, os.O_RDONLY)
    try:
        store = OpenFile(handle)
        first, second = read_model(store).layers[0].blobs
        assert look(store, first).count == count
        assert look(store, first).mean_abs == 1.0
        assert second.count == 1
    finally:
        os.close(handle)


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_any_bytes_are_a_model_or_refused(data: bytes) -> None:
    found = read(Bytes(data))
    assert isinstance(found, Model) or 0 <= found.offset <= len(data)


def read(store: Bytes) -> Model | WireError:
    try:
        return read_model(store)
    except WireError as error:
        return error


GOOD = model(
    text(3, "data"), number(4, 1),
    layer("a", "Convolution", blob((2, 3, 3, 3)), blob((2,), packed=False)),
    layer("b", "InnerProduct", blob((5, 2), legacy=False, double=True)),
)  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=4), st.integers(0, len(GOOD))
)
@settings(max_examples=400)
def test_mutated_models_are_read_or_refused(changes: list[tuple[int, int]], end: int) -> None:
    data = bytearray(GOOD)
    for at, byte in changes:
        data[at] = byte
    store = Bytes(bytes(data[:end]))
    found = read(store)
    for one in found.layers if isinstance(found, Model) else ():
        for part in one.blobs:
            if part.count < 1 << 16:
                look(store, part)


def test_lengths_that_the_file_does_not_have_allocate_nothing() -> None:
    huge = b"\xa2\x06\xff\xff\xff\xff\x07"  # a layer of 2 GiB
    with pytest.raises(WireError) as caught:
        read_model(Bytes(huge))
    assert caught.value.offset == 0


@pytest.mark.parametrize(
    "data", [b"\x00", b"\x07", b"\x0b", b"\x0c", b"\x0b" * 300, b"\xff" * 11, b"\x08\xff", b"\x0d\x01"]
)
def test_what_protobuf_refuses(data: bytes) -> None:
    with pytest.raises(WireError):
        list(fields(Bytes(data)))


def test_short_reads_are_refusals() -> None:
    """A file that shrinks while it is read."""

    class Shrinking(Bytes):
        def read(self, start: int, end: int) -> bytes:
            return super().read(start, min(end, 20))

    with pytest.raises(WireError):
        read_model(Shrinking(GOOD))
