"""``caffefix prove`` without Caffe: what it refuses, how it ends, and how it judges losses."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caffefix.caffe.net import Net
from caffefix.evidence.training import run as training
from caffefix.evidence.training.sources import Source, StatedInput, Unrepresentable, sources
from caffefix.evidence.training.task import make_task
from caffefix.evidence.training.trial import ProveError, TrialOptions, solver_fields
from caffefix.evidence.training.verdict import Outcome, bound, outcome
from caffefix.evidence.training.words import caffes_words
from caffefix.syntax.parse import parse
from tests.conftest import interruptible
from tests.support.golden import ROOT
from tests.support.golden import Outcome as Done
from tests.support.terminals import on_terminal

NET = """
layer { name: "d" type: "Data" top: "data" top: "label" transform_param { crop_size: 8 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 4 } }
layer { name: "acc" type: "Accuracy" bottom: "ip" bottom: "label" top: "acc" }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" }
"""

posix = pytest.mark.skipif(os.name != "posix", reason="scripts and signals of POSIX")


def prove(net: Path, *options: str, **environment: str) -> Done:
    """Run the command with temporary files in a folder of its own, which must be empty in the end."""
    folder = net.parent / "tmp"
    folder.mkdir(exist_ok=True)
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "TMPDIR": str(folder), **environment}
    args = [sys.executable, "-m", "caffefix", "prove", str(net), *options]
    done = subprocess.run(args, capture_output=True, env=variables, check=False, timeout=120)
    assert list(folder.iterdir()) == []
    assert b"Traceback" not in done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    return path


def script(folder: Path, body: str) -> str:
    """An interpreter that says it has Caffe, and then does something else."""
    path = folder / "python"
    hello = "printf 'caffefix-caffe|3.8|1.0.0'"
    path.write_text(f'#!/bin/sh\nif [ "$1" = -c ]; then {hello}; exit 0; fi\n{body}\n')
    path.chmod(0o755)
    return str(path)


# ---------------------------------------------------------------- interpreters


def test_without_caffe_it_says_how_to_get_one(net: Path, tmp_path: Path) -> None:
    done = prove(net, PATH=str(tmp_path), CAFFEFIX_CAFFE_PYTHON="")
    assert done.status == 2
    assert b"pip install kendryte-caffe" in done.err
    assert b"export CAFFEFIX_CAFFE_PYTHON=" in done.err


@posix
@pytest.mark.parametrize("which", ["missing", "folder", "true", "not-executable", "no-caffe"])
def test_what_is_no_python_with_caffe_is_refused(net: Path, tmp_path: Path, which: str) -> None:
    text = tmp_path / "text"
    text.write_text("no program")
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "caffe.py").write_text("raise ImportError('no such thing as caffe')")
    candidates = {
        "missing": str(tmp_path / "nothing"),
        "folder": str(tmp_path),
        "true": "/bin/true",
        "not-executable": str(text),
        "no-caffe": sys.executable,
    }
    done = prove(net, "--caffe-python", candidates[which], PYTHONPATH=f"{ROOT}{os.pathsep}{empty}")
    assert done.status == 2
    assert b"no Python with Caffe (--caffe-python)" in done.err


# ---------------------------------------------------------------- ends


@posix
def test_a_crash_is_named(net: Path, tmp_path: Path) -> None:
    done = prove(net, "--caffe-python", script(tmp_path, "kill -SEGV $$"))
    assert done.status == 2
    assert b"SIGSEGV" in done.err


@posix
def test_caffes_words_are_reported(net: Path, tmp_path: Path) -> None:
    said = (
        "F1122 03:44:00.000001    12 net.cpp:89] Check failed: it is no good\\n*** Check failure stack trace: ***"
    )
    done = prove(net, "--caffe-python", script(tmp_path, f"printf '{said}' >&2; kill -ABRT $$"))
    assert done.status == 2
    assert b"Caffe does not load the net: Check failed: it is no good\n" in done.err
    assert b"channels unknown: 3 assumed; perhaps another fits: --shape data=" in done.err


@posix
def test_an_endless_run_is_stopped_with_all_that_it_started(net: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    body = f"sleep 1000 &\necho $! > {pids}; echo $$ >> {pids}\nyes"
    done = prove(net, "--timeout", "1", "--caffe-python", script(tmp_path, body))
    assert done.status == 2
    assert b"stopped after 1 s" in done.err
    assert not any(alive(int(pid)) for pid in pids.read_text().split())


@posix
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_leaves_nothing_behind(
    net: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    pids = tmp_path / "pids"
    python = script(tmp_path, f"echo $$ > {pids}.new; mv {pids}.new {pids}; sleep 1000")
    folder = tmp_path / "tmp"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "caffefix", "prove", str(net), "--caffe-python", python],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        stderr=subprocess.PIPE,
        preexec_fn=interruptible,
    )
    while not pids.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status
    assert b"Traceback" not in errors
    assert list(folder.iterdir()) == []
    assert not alive(int(pids.read_text()))


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_while_a_process_starts_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    started = []

    class Popen(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self.pid)
            signal.raise_signal(number)

    monkeypatch.setattr(training.subprocess, "Popen", Popen)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises((KeyboardInterrupt, SystemExit)), training.work_folder() as folder:
            training.run(["sleep", "1000"], folder=folder, timeout=100, environment=os.environ)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(started) == 1
    assert not alive(started[0])


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


# ---------------------------------------------------------------- refusals

IP = 'type: "InnerProduct" bottom: "data"'
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" }'
REFUSED = {
    "python-data": (NET.replace('type: "Data"', 'type: "Python"'), "layer 'd' is a Python layer"),
    "python": (NET + 'layer { name: "p" type: "Python" bottom: "ip" top: "q" }', "layer 'p' is a Python layer"),
    "unknown-data": (NET.replace('"Data"', '"AnnotatedData"'), "layer 'd' has type AnnotatedData"),
    "unknown-loss": (NET.replace("SoftmaxWithLoss", "TripletLoss"), "targets for TripletLoss are not known"),
    "hdf5-without-shape": (NET.replace('"Data"', '"HDF5Data"'), "give it: --shape data="),
    "no-loss": (NET.replace(LOSS, ""), "no loss in its TRAIN phase"),
    "words": (NET.replace('"InnerProduct"', '"Embed"'), "layer 'ip': Embed reads words"),
    "matrix": (NET.replace("SoftmaxWithLoss", "InfogainLoss"), "its matrix is in a file"),
    "solver": ("net: 'train.prototxt'\nbase_lr: 0.1\n", "contains no net of its own"),
    "no-data": (NET.replace('type: "Data"', 'type: "Parameter"'), "no data layer"),
    "own-target": (NET.replace('bottom: "label" }', 'bottom: "ip" }'), "is produced by the net itself"),
    "label-in-net": (NET.replace(IP, f'{IP} bottom: "label"'), "its label 'label' feeds the net itself"),
    "label-and-data": (
        NET.replace('"Accuracy"', '"Margin"').replace('bottom: "label" }', 'bottom: "label" bottom: "acc" }'),
        "layer 'loss' reads 'acc', which is computed from labels and data",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_represented_is_refused_by_name(kind: str) -> None:
    text, words = REFUSED[kind]
    with pytest.raises(Unrepresentable, match=words.replace("(", r"\(")):
        make_task(text, StatedInput({}))


def test_a_refusal_ends_with_2(net: Path) -> None:
    net.write_text(NET.replace('"Data"', '"VideoData"'))
    done = prove(net)
    assert done.status == 2
    assert b"cannot be proved by training: layer 'd' has type VideoData" in done.err


@pytest.mark.parametrize("text", ["layer {", "", "layer { name: 'a' }"])
def test_what_is_no_net_ends_with_2(net: Path, text: str) -> None:
    net.write_text(text)
    done = prove(net)
    assert done.status == 2
    assert done.err.startswith(b"error: ")


@pytest.mark.parametrize(
    "options",
    [["--size", "0"], ["--size", "axb"], ["--shape", "data"], ["--shape", "data=0"], ["--iterations", "1"],
     ["--lr", "0"], ["--select", "no-such"], ["--dialect", "no-such"]],
)  # fmt: skip
def test_wrong_options_are_usage_errors(net: Path, options: list[str]) -> None:
    done = prove(net, *options)
    assert done.status == 2
    assert b"Error: " in done.err


# ---------------------------------------------------------------- what is fed


AS_IN_FILE = StatedInput({})


def test_a_shape_for_what_is_no_input_is_refused() -> None:
    with pytest.raises(Unrepresentable, match="--shape names 'image', but the inputs are 'data', 'label'"):
        make_task(NET, StatedInput({"image": (3, 8, 8)}))


def fed(text: str, given: StatedInput = AS_IN_FILE) -> list[Source]:
    found = Net(parse(text).root)
    return sources(found, found.layers, given)


def test_v2_transform() -> None:
    text = 'layer { type: "Data" top: "d" top: "l" '
    text += "transform_param { crop_size: 5 scale: 0.5 mean_value: [1, 2, 3] } }"
    image, label = fed(text)
    assert (image.shape, image.means, image.scale) == ((3, 5, 5), (1, 2, 3), 0.5)
    assert label.label
    assert label.shape == ()


def test_v1_transform_stands_in_the_layers_own_message() -> None:
    text = "layers { type: DATA top: 'd' data_param { crop_size: 5 scale: 0.5 mean_file: 'm' } }"
    [image] = fed(text)
    assert (image.shape, image.means, image.scale) == ((3, 5, 5), (128,), 0.5)
    # Caffe ignores the same fields in V2.
    [image] = fed(text.replace("layers", "layer").replace("DATA", '"Data"'))
    assert (image.means, image.scale) == ((0,), 1)


def test_window_data_reads_its_own_scale_in_v2_only() -> None:
    [image] = fed('layer { type: "WindowData" top: "d" window_data_param { scale: 0.5 crop_size: 9 } }')
    assert image.scale == 0.5
    [image] = fed("layers { type: WINDOW_DATA top: 'd' window_data_param { scale: 0.5 crop_size: 9 } }")
    assert image.scale == 1


def test_sizes_asked_for() -> None:
    text = 'layer { name: "i" type: "Input" top: "a" input_param { shape { dim: 9 dim: 3 dim: 8 dim: 8 } } }'
    assert fed(text)[0].shape == (3, 8, 8)
    assert fed(text, StatedInput({}, (4, 5)))[0].shape == (3, 4, 5)
    assert fed(text, StatedInput({"a": (1, 2)}))[0].shape == (1, 2)


def test_a_task_keeps_the_net_and_takes_the_data_out() -> None:
    task = make_task(NET, StatedInput({}))
    names = [layer.name for layer in Net(parse(task.body).root).layers]
    assert names == ["ip", "loss"]
    assert task.dropped == ("acc",)
    assert [(feed.source.blob, feed.kind) for feed in task.feeds] == [("data", "data"), ("label", "class")]
    assert [layer.name for layer in Net(parse(task.predictions).root).layers] == ["ip"]


@pytest.mark.parametrize(
    ("transform", "shape", "note"),
    [
        ("", (1, 28, 28), "1×28×28 as requested"),
        ("crop_size: 8", (1, 28, 28), "1×28×28 as requested"),
        ("crop_size: 8 mean_value: [1, 2, 3]", (1, 28, 28), "1×28×28 instead of 3×8×8"),
        ("crop_size: 8 mean_value: [1, 2, 3]", (3, 8, 8), ""),
    ],
)
def test_a_stated_shape_is_no_guess(transform: str, shape: tuple[int, ...], note: str) -> None:
    """Notes about the shape that was not taken would contradict the report's shapes."""
    text = f'layer {{ type: "Data" top: "d" top: "l" transform_param {{ {transform} }} }}'
    image, _ = fed(text, StatedInput({"d": shape}))
    assert (image.shape, image.note) == (shape, note)
    assert len(image.means) in (1, shape[0])


# ---------------------------------------------------------------- on a terminal

DEAD = NET.replace(
    'bottom: "data" top: "ip" inner',
    'bottom: "data" top: "a" inner_product_param { num_output: 4 } }\n'
    'layer { name: "b" type: "InnerProduct" bottom: "a" top: "ip" inner',
)
TRAINS = """
say() { printf '%s\\n' "$1" >> result.jsonl; }
say '{"event": "loaded", "classes": 2, "baseline": 0.7, "floor": 0, "shapes": {}, "own_norm": false,
 "parameters": 1}'
sleep 0.3
for loss in 0.75 0.75 0.75 0.25 0.1 0.1 0.1 0.1; do say '{"event": "loss", "value": '$loss'}'; sleep 0.25; done
say '{"event": "end", "blobs": 1, "params": 1, "frozen": 0, "dead_blobs": [], "died_blobs": [], "dead_params": [],
 "died_params": []}'
"""


@posix
def test_a_terminal_shows_both_trainings(net: Path, tmp_path: Path) -> None:
    """Two bars, with iterations and loss; gone at the end, and never in the report."""
    net.write_text(DEAD)
    python = script(tmp_path, TRAINS.replace(",\n", ","))
    status, out, shown = on_terminal("prove", net, "--caffe-python", python, cwd=tmp_path)
    assert (status, "learns, loss 0.75 → 0.13" in out, "━" in out) == (0, True, False)
    for words in ("before", "after", "2/60", "8/60", "loss 0.75", "loss 0.1", "Caffe starts"):
        assert words in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("8/60")  # the cursor is back
    assert shown.rindex("\x1b[2K") > shown.rindex("8/60")  # the line is cleared
    assert prove(net, "--caffe-python", python).err == b""


# ---------------------------------------------------------------- the verdict

numbers = st.floats(0.01, 100)


@given(numbers, st.lists(st.floats(-0.05, 0.05), min_size=10, max_size=80))
def test_a_flat_curve_is_not_learning(baseline: float, noise: list[float]) -> None:
    losses = [baseline * (1 + n) for n in noise]
    assert outcome(losses, baseline, 0.0) is Outcome.STUCK


@given(numbers, numbers, st.integers(10, 100))
def test_a_bias_that_learns_the_labels_is_not_learning(baseline: float, start: float, count: int) -> None:
    """A falling loss that ends at the baseline knows the labels, and nothing of the input."""
    losses = [baseline + start * 0.8**i for i in range(count)]
    assert outcome(losses, baseline, 0.0) is Outcome.STUCK


@given(numbers, st.floats(0, 0.5))
def test_a_loss_far_below_the_baseline_has_learnt(baseline: float, share: float) -> None:
    losses = [baseline] * 30 + [baseline * share] * 30
    assert outcome(losses, baseline, 0.0) is Outcome.LEARNS


def test_a_low_loss_that_was_low_from_the_start_is_not_learning() -> None:
    assert outcome([0.5] * 60, 1.6, 0.0) is Outcome.STUCK


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_diverges(bad: float) -> None:
    assert outcome([1.0, 0.1, bad], 1.6, 0.0) is Outcome.DIVERGES


@given(numbers, numbers)
def test_the_floor_counts(floor: float, above: float) -> None:
    baseline = floor + above
    assert floor < bound([baseline], baseline, floor) < baseline


def test_words_of_caffe() -> None:
    text = (
        "WARNING: Logging before InitGoogleLogging() is written to STDERR\n"
        "E1122 03:44:00.1  12 common.cpp:114] first\n"
        "F1122 03:44:00.1  12 layer_factory.hpp:81] Check failed: 1 == 0 Unknown layer type: X "
        "(known types: A, B)\n*** Check failure stack trace: ***\n    @ 0x7f google\nAborted\n"
    )
    protobuf = "[libprotobuf ERROR text_format.cc:298] Error parsing text-format caffe.NetParameter: 3:9: "
    assert caffes_words(protobuf + "Message type X\n") == "Message type X"
    assert caffes_words(text) == "first; Check failed: 1 == 0 Unknown layer type: X"


def test_rates_come_from_the_solver() -> None:
    text = 'net: "x"\nbase_lr: 0.5\ntype: "Adam"\nsnapshot: 10\nstepvalue: [1, 2]\n'
    assert solver_fields(TrialOptions(solver=text)) == (
        "base_lr: 0.5",
        'type: "Adam"',
        "stepvalue: 1",
        "stepvalue: 2",
    )
    assert solver_fields(TrialOptions(solver=text, rate=0.25))[0] == "base_lr: 0.25"
    with pytest.raises(ProveError, match="base_lr"):
        solver_fields(TrialOptions(solver=NET))
