"""Suppression comments, ``caffefix suppress`` and ``--statistics``."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caffefix.caffe.delta import changes
from caffefix.caffe.normal import normal_form
from caffefix.commands.suppress.work import suppress
from caffefix.engine.repair import Request, repair
from caffefix.findings import Severity
from caffefix.results import FileResult, Status
from caffefix.syntax.parse import parse
from caffefix.syntax.source import Source
from caffefix.syntax.suppressions import Suppressions
from tests.conftest import corpus_files, or_skip
from tests.support.golden import GOLDEN, cases
from tests.support.golden import caffefix as run

OTHERS = ("unused-suppression", "suppression-without-reason", "non-ascii-syntax")  # the last cannot be read
CASES = [case for case in cases() if case.parent.name not in OTHERS]
DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
CONV = b"""layer {
  name: "conv1"
  type: "Convolution"
  bottom: "data"
  top: "conv1"
  convolution_param {
    num_output: 8
  }
}
"""
IGNORE = b"# caffefix: ignore[missing-weight-filler] loaded"


def names(text: bytes, *args: str) -> list[str]:
    done = run("--check", "--format", "json", "-", *args, stdin=text)
    assert done.status in (0, 1), done.err
    (file,) = json.loads(done.out)["files"]
    return [finding["name"] for finding in file["findings"]] + ["(suppressed)"] * file["suppressed"]


# ---------------------------------------------------------------- where a comment counts


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"layer {", IGNORE + b"\nlayer {"),
        (b"layer {", b"# why\n" + IGNORE + b"\n# how\nlayer {"),
        (b"layer {", b"layer {  " + IGNORE),
        (b"}\n}\n", b"}\n}  " + IGNORE + b"\n"),
        (b"  convolution_param {", b"  " + IGNORE + b"\n  convolution_param {"),
        (b"  convolution_param {", b"  convolution_param {  # big " + IGNORE),
        (b"layer {", IGNORE.replace(b"missing-weight", b"*") + b"\nlayer {"),
        (
            b"layer {",
            IGNORE.replace(b"[", b"[legacy-*, ").replace(b"legacy-*", b"unused-suppression") + b"\nlayer {",
        ),
        (b"layer {", IGNORE.replace(b"ignore", b"ignore-file") + b"\n\nlayer {"),
        (b"layer {", IGNORE.replace(b"ignore", b"ignore-file") + b"\nlayer {"),
        (b"layer {", b"# caffefix: ignore-file generated\nlayer {"),
    ],
)
def test_a_comment_that_counts(old: bytes, new: bytes) -> None:
    assert names(CONV) == ["missing-weight-filler"]
    text = CONV.replace(old, new, 1)
    assert names(text) == ["(suppressed)"]
    assert run("-", stdin=text).out == text
    assert b"1 suppressed" in run("-", "--check", stdin=text).out


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"layer {", IGNORE + b"\n\nlayer {"),
        (b"  type:", b"  " + IGNORE + b"\n  type:"),
        (b"    num_output: 8", b"    num_output: 8  " + IGNORE),
        (b"layer {", IGNORE.replace(b"[", b" ").replace(b"]", b"") + b"\nlayer {"),
        (b"layer {", IGNORE.replace(b"filler", b"fillers") + b"\nlayer {"),
        (b"  type:", b"  " + IGNORE.replace(b"ignore", b"ignore-file") + b"\n  type:"),
    ],
)
def test_a_comment_that_does_not_count_is_told(old: bytes, new: bytes) -> None:
    found = names(CONV.replace(old, new, 1))
    assert sorted(found) == ["missing-weight-filler", "unused-suppression"]


def test_a_hash_in_a_string_is_no_comment() -> None:
    text = b'name: "# caffefix: ignore-file"\n' + CONV
    assert names(text) == ["missing-weight-filler"]


def test_a_shared_fix_is_withheld_when_its_fixer_cannot_divide_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from caffefix.engine.select import Selection
    from caffefix.findings import Applicability, Finding, Fix, Pass
    from caffefix.fixers import Fixer
    from caffefix.syntax.edits import Replace

    def find(subject):  # type: ignore[no-untyped-def]
        fields = [node for node in subject.document.root.children() if node.value == "1"]
        fix = Fix(tuple(Replace(node, "2") for node in fields), Applicability.SAFE, "made up")
        return (Finding("made-up", Severity.ERROR, "made up", node, "", fix) for node in fields)

    fixer = Fixer("made-up", Pass.REPAIR, find, ("*",))
    monkeypatch.setattr(Selection, "fixers", lambda self: [fixer])
    both = repair(Source("x", b"a: 1\nb: 1\n"), Request())
    assert both.new == b"a: 2\nb: 2\n"
    one = repair(Source("x", b"a: 1\nb: 1  # caffefix: ignore[made-up] so\n"), Request())
    assert (one.status, one.new) == (Status.CLEAN, None)
    assert [(d.line, d.applicability) for d in one.findings] == [(1, Applicability.DISPLAY)]
    assert [d.line for d in one.suppressed] == [2]


def test_a_suppression_stays_where_its_finding_was_not_looked_for() -> None:
    text = IGNORE + b'\nlayer { name: "r" type: "ReLU" bottom: "x" top: "x" }\n'
    assert names(text) == ["unused-suppression"]
    assert names(text, "--ignore", "missing-*") == []
    assert names(text, "--select", "unused-*") == []
    assert names(text, "--select", "unused-*,missing-*") == ["unused-suppression"]
    assert names(IGNORE + b"\n" + CONV, "--no-from-scratch") == []


V0 = b"""layers {
  layer {
    name: "conv1"
    type: "conv"
    num_output: 8
    kernelsize: 3
  }
  bottom: "data"
  top: "conv1"
}
"""


def test_a_suppression_that_would_cover_less_is_no_reason_to_go_on() -> None:
    """The inner layer of V0 goes away in the migration, and a comment at it would be one at a field."""
    inside = V0.replace(b"  layer {", b"  layer {  " + IGNORE)
    done = run("--check", "-", stdin=inside)
    assert done.status == 2
    assert b"would no longer cover the message that it belonged to; write it above the layer" in done.err
    above = run("-", stdin=IGNORE + b"\n" + V0)
    assert above.status == 0
    assert above.out.startswith(IGNORE + b"\nlayer {\n  name")
    assert b"weight_filler {" not in above.out


# ---------------------------------------------------------------- caffefix suppress


def test_suppressing_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.prototxt").write_bytes(DEAD)
    (tmp_path / "b.prototxt").write_bytes(DEAD.replace(b"\n", b"\r\n"))
    (tmp_path / "broken.prototxt").write_bytes(b"layer {\n")
    shown = run("suppress", ".", "--reason", "copié", "--dry-run", cwd=tmp_path)
    assert (tmp_path / "a.prototxt").read_bytes() == DEAD
    assert shown.status == 2
    done = run("suppress", ".", "--reason", "copié", cwd=tmp_path)
    assert done.status == 2
    assert b"broken.prototxt:1:1" in done.err
    assert b"3 files, 2 changed, 4 findings suppressed, 1 refused" in done.out
    comment = "  # caffefix: ignore[missing-weight-filler] copié".encode()
    written = (tmp_path / "a.prototxt").read_bytes()
    assert written.split(b"\n").count(comment) == 2
    assert (tmp_path / "b.prototxt").read_bytes() == written.replace(b"\n", b"\r\n")
    (tmp_path / "broken.prototxt").unlink()
    assert b"2 files, nothing to fix, 4 suppressed" in run("--check", ".", cwd=tmp_path).out
    again = run("suppress", ".", "--reason", "copié", cwd=tmp_path)
    assert b"2 files, nothing to suppress" in again.out
    other = tmp_path / "other"
    other.mkdir()
    for name in ("a.prototxt", "b.prototxt"):
        (other / name).write_bytes(DEAD if name[0] == "a" else DEAD.replace(b"\n", b"\r\n"))
    subprocess.run(["git", "apply", "-"], cwd=other, input=shown.out, check=True)
    for name in ("a.prototxt", "b.prototxt"):
        assert (other / name).read_bytes() == (tmp_path / name).read_bytes()


def test_only_what_is_selected_is_suppressed(tmp_path: Path) -> None:
    old = (GOLDEN / "missing-weight-filler/suppressed-v1/before.prototxt").read_bytes()
    (tmp_path / "net.prototxt").write_bytes(old)
    done = run("suppress", "net.prototxt", "--reason", "x", "--select", "legacy-*", cwd=tmp_path)
    assert b"net.prototxt: suppressed legacy-v1-layers\n" in done.out
    assert b"missing-weight-filler [safe] conv2" in run("--check", "net.prototxt", cwd=tmp_path).out


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "a # caffefix: ignore[b]", "\x1b[1m"])
def test_reasons_that_cannot_stand_in_a_comment(tmp_path: Path, reason: str) -> None:
    (tmp_path / "net.prototxt").write_bytes(DEAD)
    done = run("suppress", "net.prototxt", "--reason", reason, cwd=tmp_path)
    assert done.status == 2
    assert b"reason" in done.err
    assert (tmp_path / "net.prototxt").read_bytes() == DEAD


def is_clean(before: Source, done: FileResult) -> None:
    """After suppressing, nothing shows but notes; only comments were added; the meaning is the same."""
    assert not done.status.failed, done.reason
    after = Source(before.path, done.new if done.new is not None else before.data)
    check = repair(after, Request())
    told = [d.name for d in check.findings if d.severity is not Severity.INFO]
    assert (check.status, [name for name in told if name != "unused-suppression"]) == (Status.CLEAN, [])
    assert len(check.suppressed) >= sum(d.applied for d in done.findings)
    added = [s.start for s in Suppressions(parse(after.text)).all if s.reason == "today"]
    lines = after.text.split("\n")
    places = {after.position(start).line - 1 for start in added}
    assert "\n".join(line for n, line in enumerate(lines) if n not in places) == before.text
    assert changes(*(normal_form(parse(source.text)) for source in (before, after))) == []


def odd(text: str, seed: int) -> str:
    """The text in another layout: line ends, indentation, fields that share lines, no last line end."""
    pick = random.Random(seed)
    lines = text.split("\n")
    if pick.random() < 0.3:
        lines = [line.lstrip() for line in lines]
    out = [lines[0]]
    for line in lines[1:]:
        plain = not set("#'") & set(out[-1] + line) and (out[-1] + line).count('"') % 2 == 0
        if plain and pick.random() < seed % 3 / 4:
            out[-1] += " " + line.strip()
        else:
            out.append(line)
    made = pick.choice(["\n", "\r\n"]).join(line.rstrip("\r") for line in out)
    return made.rstrip() if pick.random() < 0.3 else made


@settings(max_examples=40)
@given(st.sampled_from(CASES), st.integers(0, 10**6))
def test_suppress_then_check_is_clean(case: Path, seed: int) -> None:
    text = odd((case / "before.prototxt").read_bytes().decode("latin-1"), seed)
    source = Source(case.name, text.encode("latin-1"))
    is_clean(source, suppress(source, Request(), "today", "x"))


@pytest.mark.parametrize("path", or_skip(corpus_files(60), lambda path: path.name))
def test_suppress_then_check_is_clean_on_real_files(path: Path) -> None:
    source = Source(path.name, path.read_bytes())
    if repair(source, Request()).status is Status.ERROR:
        pytest.skip("it does not parse")
    is_clean(source, suppress(source, Request(), "today", "x"))


@pytest.mark.slow
def test_suppress_then_check_is_clean_on_all_real_files(shared: Path) -> None:
    for path in corpus_files():
        source = Source(path.name, path.read_bytes())
        done = suppress(source, Request(), "today", "x")
        if done.status is not Status.ERROR:
            is_clean(source, done)


# ---------------------------------------------------------------- statistics


def test_statistics(tmp_path: Path) -> None:
    for name, case in (("a", "missing-weight-filler/fires"), ("b", "mean-in-scaled-units/fires")):
        shutil.copy(GOLDEN / case / "before.prototxt", tmp_path / f"{name}.prototxt")
    (tmp_path / "c.prototxt").write_bytes(IGNORE + b"\n" + CONV)
    report = json.loads(run("--check", "--statistics", "--format", "json", ".", cwd=tmp_path).out)
    rows = {row.pop("name"): row for row in report["statistics"]}
    assert (report["files"], report["failed"]) == (3, 0)
    assert rows["missing-weight-filler"] == {"fixed": 2, "left": 0, "unsafe": 0, "suppressed": 1, "files": 2}
    assert rows["mean-in-scaled-units"]["unsafe"] >= 1
    table = run("--check", "--statistics", ".", cwd=tmp_path)
    assert table.status == 1
    head, first, *_ = table.out.decode().splitlines()
    assert head.split() == ["finding", "to", "fix", "left", "unsafe", "suppressed", "files"]
    assert first.split() == ["missing-weight-filler", "2", "-", "-", "1", "2"]
    assert b": missing-weight-filler" not in table.out
    diffs = run("--dry-run", "--statistics", "a.prototxt", cwd=tmp_path)
    assert diffs.out.startswith(b"--- a/a.prototxt")
    assert b"finding" in diffs.err


# ---------------------------------------------------------------- what must not be lost


def test_a_comment_with_a_carriage_return_is_left_alone() -> None:
    """To Caffe all of the line is comment; to its author it was a layer."""
    text = b'name: "n"\n# caffefix: ignore[unknown-field] old\rlayer { name: "r" }\nlayer { name: "s" }\n'
    done = run("-", stdin=text)
    assert done.status == 0
    assert done.out == text
    assert b"carriage return" in run("--dry-run", "-", stdin=text).err


def test_nothing_is_called_unused_in_a_file_that_no_fork_reads() -> None:
    inputs = 'input: "data"\ninput_dim: 1\ninput_dim: 3\ninput_dim: 8\ninput_dim: 8\n'
    pool = 'layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { %s: 2 stride: 2 } }\n'
    text = "# caffefix: ignore[legacy-input-fields] a converter reads it\n" + inputs + pool % "kernelsize"
    assert run("-", stdin=text.encode()).out.decode() == text


def test_what_compares_files_is_not_called_unused_without_them() -> None:
    text = b'# caffefix: ignore-file[deploy-drift] on purpose\nlayer { name: "p" type: "ReLU" top: "p" }\n'
    assert b"deploy-drift" not in run("--dry-run", "-", stdin=text).err


def test_notes_that_would_be_fixed_are_suppressed_too(tmp_path: Path) -> None:
    before = (GOLDEN / "ignored-filler-field/fires/before.prototxt").read_bytes()
    (tmp_path / "net.prototxt").write_bytes(before)
    select = ("--select", "ignored-filler-field")
    assert run("--check", *select, "net.prototxt", cwd=tmp_path).status == 1
    assert run("suppress", "--reason", "today", *select, "net.prototxt", cwd=tmp_path).status == 0
    assert run("--check", *select, "net.prototxt", cwd=tmp_path).status == 0
