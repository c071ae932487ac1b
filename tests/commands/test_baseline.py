"""``caffefix baseline`` and ``--baseline``: what was found once is hidden, what is new is reported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from caffefix._startup.records import replace
from caffefix.commands._shared.baseline import Baseline
from caffefix.findings import Applicability, Severity
from caffefix.reports.formats import NAMES
from caffefix.results import Diagnostic, FileResult, Status
from tests.conftest import corpus_files
from tests.support.golden import GOLDEN, Outcome, caffefix

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_text()
SOFTMAX = (GOLDEN / "double-softmax/fires/before.prototxt").read_text()
BROKEN = "layer { name: 'a' type: \n}}\n"
FILE = ".caffefix-baseline.json"
PLANTED = b'\nlayer { name: "planted" name: "planted" type: "ReLU" top: "planted" }\n'
NEW = 'layer { name: "new" type: "Convolutoin" bottom: "data" top: "new" }\n'


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    for number in range(3):
        (tmp_path / f"dead{number}.prototxt").write_text(DEAD.replace('name: "conv1"', f'name: "conv1_{number}"'))
    (tmp_path / "softmax.prototxt").write_text(SOFTMAX)
    (tmp_path / "broken.prototxt").write_text(BROKEN)
    assert caffefix("--check", ".", cwd=tmp_path).status == 2
    assert caffefix("baseline", ".", cwd=tmp_path).status == 0
    return tmp_path


def check(zoo: Path, *args: str) -> Outcome:
    return caffefix("--check", "--baseline", FILE, "--format", "concise", *args, ".", cwd=zoo)


def names(done: Outcome) -> list[str]:
    return [line.split(": ")[1].split()[0] for line in done.out.decode().splitlines()]


def test_what_is_recorded_is_hidden(zoo: Path) -> None:
    done = check(zoo)
    assert (done.status, done.out) == (0, b"")
    assert b".caffefix-baseline.json: " in done.err
    assert b" hidden\n" in done.err
    assert not [path for path in zoo.iterdir() if path.suffix not in (".prototxt", ".json")]


def test_only_what_is_new_is_reported(zoo: Path) -> None:
    for number in range(3):
        net = zoo / f"dead{number}.prototxt"
        net.write_text(net.read_text() + NEW)
    done = check(zoo)
    assert done.status == 1
    assert names(done) == ["unknown-layer-type"] * 3


def test_lines_may_move_and_layers_may_change_places(zoo: Path) -> None:
    for path in zoo.glob("*.prototxt"):
        path.write_text("# moved\n" * 100 + path.read_text())
    assert check(zoo).status == 0
    net = zoo / "softmax.prototxt"
    before, *layers = net.read_text().split("\nlayer {")
    swapped = [*layers[:-2], layers[-1], layers[-2]]
    net.write_text(
        "\nlayer {".join([before, *(layer if layer.endswith("\n") else layer + "\n" for layer in swapped)])
    )
    assert "double-softmax" not in names(check(zoo))


def test_a_file_with_another_name_is_known_by_its_content(zoo: Path) -> None:
    (zoo / "below").mkdir()
    (zoo / "dead0.prototxt").rename(zoo / "below" / "other.prototxt")
    (zoo / "broken.prototxt").rename(zoo / "still_broken.prototxt")
    assert check(zoo).status == 0
    shutil.copy(zoo / "dead1.prototxt", zoo / "copy.prototxt")  # the original is still there, so this one is new
    assert check(zoo).status == 1


def test_a_tenth_broken_file_is_reported(zoo: Path) -> None:
    (zoo / "tenth.prototxt").write_text(BROKEN.replace("'a'", "'b'"))
    done = check(zoo)
    assert done.status == 2
    assert b"tenth.prototxt" in done.out + done.err
    assert b"/broken.prototxt" not in done.out + done.err


def test_one_more_of_the_same_is_new(zoo: Path) -> None:
    net = zoo / "dead0.prototxt"
    fc = 'layer { name: "%s" type: "InnerProduct" bottom: "fc" top: "%s" inner_product_param { num_output: 4 } }\n'
    loss = net.read_text().index('layer {\n  name: "loss"')
    net.write_text(net.read_text()[:loss] + fc % ("fc_b", "fc") + net.read_text()[loss:])
    done = check(zoo)
    assert done.status == 1
    assert b"fc_b" in done.out


def test_what_is_gone_is_reported_and_pruned(zoo: Path) -> None:
    (zoo / "dead0.prototxt").unlink()
    assert b"1 fixed, 1 finding left" in caffefix("dead1.prototxt", cwd=zoo).out
    done = check(zoo)
    assert done.status == 0
    assert b"no longer occur (--prune)" in done.err
    pruned = check(zoo, "--prune")
    assert b"that no longer occur removed" in pruned.err
    again = check(zoo)
    assert again.status == 0
    assert b"no longer" not in again.err
    data = json.loads((zoo / FILE).read_text())
    assert "dead0.prototxt" not in data["files"]
    assert "missing-weight-filler" not in data["files"]["dead1.prototxt"]["findings"].values()
    assert "broken.prototxt" in data["files"]


def test_files_that_were_not_checked_are_not_gone(zoo: Path) -> None:
    before = (zoo / FILE).read_bytes()
    done = caffefix("--check", "--baseline", FILE, "--prune", "softmax.prototxt", cwd=zoo)
    assert done.status == 0
    assert (zoo / FILE).read_bytes() == before


@pytest.mark.parametrize("form", NAMES)
def test_every_report_is_without_it(zoo: Path, form: str) -> None:
    net = zoo / "dead0.prototxt"
    net.write_text(net.read_text() + NEW)
    done = caffefix("--check", "--baseline", FILE, "--format", form, ".", cwd=zoo)
    assert done.status == 1
    assert b"unknown-layer-type" in done.out
    assert b"missing-weight-filler" not in done.out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--baseline", FILE, "."], "--baseline is for --check"),
        (["--check", "--prune", "."], "--prune rewrites the baseline: name it with --baseline"),
        (["--check", "--baseline", "none.json", "."], "caffefix baseline PATH -o none.json records one"),
        (["--check", "--baseline", "softmax.prototxt", "."], "softmax.prototxt: not a baseline"),
        (["baseline", ".", "-o", "softmax.prototxt"], "softmax.prototxt: not a baseline"),
    ],
)
def test_what_cannot_be_used(zoo: Path, args: list[str], said: str) -> None:
    before = {path: path.read_bytes() for path in zoo.iterdir()}
    done = caffefix(*args, cwd=zoo)
    assert done.status == 2
    assert said in " ".join(done.err.decode().split())
    assert before == {path: path.read_bytes() for path in zoo.iterdir()}


@pytest.mark.parametrize(
    "text",
    [
        "[]", "{}", "1", '{"version": 2, "files": {}}', '{"version": 1, "files": []}', "[" * 100_000,
        '{"version": 1, "files": {"a": 1}}', '{"version": 1, "files": {"a": {"content": 1, "failed": false}}}',
        '{"version": 1, "files": {"a": {"content": "", "failed": 1, "findings": {}}}}',
        '{"version": 1, "files": {"a": {"content": "", "failed": true, "findings": {"x": 1}}}}',
    ],
    ids=range(10),
)  # fmt: skip
def test_hostile_baselines(zoo: Path, text: str) -> None:
    (zoo / FILE).write_text(text)
    done = check(zoo)
    assert done.status == 2
    assert b"not a baseline" in done.err


@pytest.mark.parametrize("every", [40, pytest.param(1, marks=pytest.mark.slow)])
def test_real_files(shared: Path, tmp_path: Path, every: int) -> None:
    for number, path in enumerate(corpus_files(every)):
        shutil.copy(path, tmp_path / f"{number}_{path.name}")
    paths = sorted(tmp_path.iterdir())
    assert caffefix("baseline", *map(str, paths), "-o", "base.json", cwd=tmp_path).status == 0
    args = ("--check", "--baseline", "base.json", "--format", "concise")
    done = caffefix(*args, *map(str, paths), cwd=tmp_path)
    assert (done.status, done.out) == (0, b"")
    planted = []
    for path in paths:
        if len(planted) == 20:
            break
        before = path.read_bytes()
        path.write_bytes(b"# moved\n" * 100 + before + PLANTED)
        found = caffefix("--check", "--select", "repeated-singular-field", "--format", "concise", path)
        if b"planted" in found.out and b"planted" not in before:
            planted.append(path)
        else:
            path.write_bytes(before)
    done = caffefix(*args, *map(str, paths), cwd=tmp_path)
    told = done.out.decode().splitlines()
    assert len(planted) == 20 or every > 1
    assert {line.partition(":")[0] for line in told} == set(map(str, planted))
    assert all("planted" in line for line in told)


def test_a_refused_file_and_its_findings_are_hidden(tmp_path: Path) -> None:
    """Its repair failed a proof when it was recorded, and fails it again."""
    place = Diagnostic("a-b", Severity.ERROR, Applicability.DISPLAY, "m", 1, 1, 1, 2, "l", False, source="x")
    refused = FileResult(str(tmp_path / "net.prototxt"), Status.REFUSED, "why", (place,))
    baseline = Baseline(str(tmp_path / "base.json"))
    baseline.record(refused)
    hidden = baseline.hide(refused)
    assert (hidden.status, hidden.reason, hidden.findings, baseline.hidden) == (Status.CLEAN, "", (), 2)
    more = replace(refused, findings=(place, replace(place, name="c-d")))
    assert [d.name for d in baseline.hide(more).findings] == ["c-d"]


def test_a_configuration_may_name_it(zoo: Path) -> None:
    (zoo / "caffefix.toml").write_text(f'baseline = "{FILE}"\n')
    done = caffefix("--check", "--format", "concise", ".", cwd=zoo)
    assert (done.status, done.out) == (0, b"")
    assert FILE.encode() in done.err
    (zoo / "new.prototxt").write_text(NEW)
    assert names(caffefix("--check", "--format", "concise", ".", cwd=zoo)) == ["unknown-layer-type"]
    before = (zoo / "dead0.prototxt").read_text()
    caffefix("dead0.prototxt", cwd=zoo)  # a repair fixes what it can
    assert (zoo / "dead0.prototxt").read_text() != before


@pytest.mark.parametrize("name", ["nowhere.json", "../outside.json", "broken.prototxt"])
def test_a_configuration_that_names_no_baseline(zoo: Path, name: str) -> None:
    (zoo.parent / "outside.json").write_text((zoo / FILE).read_text())
    (zoo / "caffefix.toml").write_text(f'baseline = "{name}"\n')
    done = caffefix("--check", ".", cwd=zoo)
    assert done.status == 2
    assert done.err.startswith(b"error: caffefix.toml: baseline: ")


def test_a_run_over_a_part_says_nothing_of_the_rest(tmp_path: Path) -> None:
    """Of files outside its paths it cannot know whether they were renamed."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "net.prototxt").write_text(DEAD.replace('"conv1"', f'"{folder}"'))
    caffefix("baseline", ".", cwd=tmp_path)
    before = (tmp_path / FILE).read_text()
    (tmp_path / "one").rename(tmp_path / "uno")
    part = caffefix("--check", "--baseline", FILE, "--prune", "two", cwd=tmp_path)
    assert (part.status, b"no longer" in part.err) == (0, False)
    assert (tmp_path / FILE).read_text() == before
    assert caffefix("--check", "--baseline", FILE, ".", cwd=tmp_path).status == 0  # known by its content
