"""Logs as wholes: what is read, and in what memory."""

from __future__ import annotations

import codecs
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caffefix.evidence.logs.reader import NotALogError, read_log
from caffefix.evidence.logs.stream import LIMIT
from tests.support import logs
from tests.support.logs import iteration, param, read, record, top, totals

# ---------------------------------------------------------------- reading


def test_encodings_line_ends_and_colours_make_no_difference() -> None:
    text = iteration(0, 2.5) + top("conv1", 3.25) + iteration(20, 1.5)
    expected = read(text)
    colours = text.replace("Iteration", "\x1b[1;31mIter\x1b[0mation")
    assert read(text.replace("\n", "\r\n")) == expected
    assert read(colours) == expected
    assert read(codecs.BOM_UTF8 + text.encode()) == expected
    for name in ("utf-16", "utf-16-le", "utf-16-be"):
        bom = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(name, b"")
        assert read(bom + text.encode(name)) == expected


def test_a_progress_bar_does_not_hide_a_line() -> None:
    log = read("\r 1%|#    |\r 2%|##   |" + iteration(20, 1.5).rstrip("\n") + "\r 3%|\n" + iteration(40, 1.25))
    assert log.loss is not None
    assert (log.loss.first, log.loss.last) == (1.5, 1.25)


def test_the_dump_of_the_net_is_kept_apart_from_what_others_print() -> None:
    net = 'name: "n"\nlayer {\n  name: "Iteration 5"\n  type: "ReLU"\n}\n'
    text = record("Initializing net from parameters: ", line=51) + net + record("Creating Layer Iteration 5")
    log = read(text + "ImportError: nothing to do with it\n")
    (dump,) = log.dumps
    assert (dump.text, dump.is_complete, dump.phase, dump.line) == (net, True, "TRAIN", 1)


def test_a_dump_that_glog_cut_keeps_its_whole_layers() -> None:
    layer = 'layer {\n  name: "relu"\n  type: "ReLU"\n}\n'
    text = (layer * 1000)[:29_970]
    log = read(record("Initializing net from parameters: ") + text + "\n" + record("Creating Layer relu"))
    (dump,) = log.dumps
    assert not dump.is_complete
    assert dump.text == layer * (29_970 // len(layer))


def test_a_number_that_is_cut_off_is_not_believed() -> None:
    whole = top("conv1", 0.0094)
    cut = whole[: whole.index(".0094")]  # reads as 0
    assert read(whole + cut).tracks[0].count == 1
    assert read(whole + cut + whole).tracks[0].zeros == 0  # another thread cut in
    end = totals(2, 1).rstrip("\n")
    assert len(read(whole + end).totals) == 1  # a parenthesis shows that it is whole


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the log is empty"),
        (b"\n \n", "the log is empty"),
        (b"\x1f\x8b\x08\0\0", "compressed"),
        (bytes(range(256)) * 100, "binary"),
        (b"epoch 1: loss 0.3\n", "no line in it was written by Caffe"),
        (b'layer { name: "Iteration" }\n', "no line in it was written by Caffe"),
    ],
)
def test_what_is_no_log_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(NotALogError, match=message):
        read(data)


@given(st.binary())
def test_no_bytes_are_too_strange(data: bytes) -> None:
    text = iteration(0, 2.5).encode()
    log = read(text + data + b"\n" + text)
    assert log.loss is not None
    assert log.loss.count >= 2


# ---------------------------------------------------------------- memory


def peak_of(chunks: Iterator[bytes]) -> tuple[int, int]:
    """Bytes at the peak while such a log is read, and its length."""
    stream = logs.Stream(chunks)
    tracemalloc.start()
    try:
        read_log("x", stream)
        return tracemalloc.get_traced_memory()[1], stream.size
    finally:
        tracemalloc.stop()


def a_training(megabytes: int) -> Iterator[bytes]:
    """A log with debug_info of so many megabytes, made as it is read."""
    block = "".join(top(f"conv{i}", 1.5) + param(f"conv{i}", 0, 0.25) for i in range(50))
    made = step = 0
    while made < megabytes << 20:
        chunk = "".join(block + iteration(step + i, 1 / (step + i + 1)) for i in range(40)).encode()
        step += 40
        made += len(chunk)
        yield chunk


def test_memory_does_not_grow_with_length() -> None:
    short, _ = peak_of(a_training(1))
    long, size = peak_of(a_training(4))
    assert size > 4 << 20
    assert long < short + (1 << 18)


@pytest.mark.slow
def test_a_gigabyte() -> None:
    """Most of it is what other programs write into the log in long lines, to spare the time."""

    def chunks() -> Iterator[bytes]:
        noise = (b"x" * 10_000 + b"\n") * 200
        for chunk in a_training(170):
            yield chunk
            yield noise

    peak, size = peak_of(chunks())
    assert size > 1 << 30
    assert peak < 16 << 20


def test_one_line_of_fifty_megabytes() -> None:
    def chunks() -> Iterator[bytes]:
        yield iteration(0, 2.5).encode()
        for _ in range(50):
            yield b"x" * (1 << 20)
        yield b"\n" + iteration(20, 1.5).encode()

    peak, size = peak_of(chunks())
    assert size > 50 << 20
    assert peak < 8 << 20
    log = read_log("x", logs.Stream(chunks()))
    assert log.loss is not None
    assert (log.loss.count, log.lines) == (2, 3)


def test_a_record_at_the_end_of_what_is_kept_of_a_long_line() -> None:
    line = iteration(20, 1.5)
    log = read(iteration(0, 2.5) + " " * (LIMIT - len(line) + 3) + line)
    assert log.loss is not None
    assert log.loss.count == 1  # "loss = 1.5" would be cut to "loss ="


def test_the_number_of_blobs_is_bounded() -> None:
    def chunks() -> Iterator[bytes]:
        for start in range(0, 80_000, 1000):
            yield "".join(top(f"layer{i}", 1) for i in range(start, start + 1000)).encode()

    stream = logs.Stream(chunks())
    log = read_log("x", stream)
    assert 0 < len(log.tracks) < 80_000
    assert len(log.tracks) + log.dropped == 80_000


@pytest.mark.slow
def test_a_million_blobs_and_everything_else_that_could_be_kept() -> None:
    def chunks() -> Iterator[bytes]:
        for start in range(0, 1_000_000, 1000):
            numbers = range(start, start + 1000)
            yield "".join(
                top(f"layer{i}", 1)
                + record(f"Creating Layer layer{i}")
                + record(f"Ignoring source layer layer{i}")
                + record(f"Finetuning from layer{i}", f"file{i}.cpp", i)
                + record(f"Train net output #{i}: x{i} = 1")
                + record("Top shape: 1 2 (2)")
                for i in numbers
            ).encode()

    peak, _ = peak_of(chunks())
    assert peak < 128 << 20
