"""Where a finding says that Caffe aborts, real Caffe does, in these words; and it loads what is mended."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import pytest

from caffefix.commands._shared.pages import pages
from tests.support.aborts import ABORTS, ELSEWHERE, FIELDS, NET, NOT_ASKED, Abort, layer
from tests.support.caffe_nets import Answer, Job, ask
from tests.support.golden import GOLDEN, ROOT, caffefix

# How a page or a message says that Caffe does not load a file.
CLAIM = re.compile(r"\babort|parser stops|cannot parse|\brefuse|garbage|Caffe does not take|can(not| only) load")
PAGES = {
    page.name: " ".join(" ".join([page.summary, *(section.text for section in page.sections)]).split())
    for page in pages()
}
GOLDENS = [*GOLDEN.glob("*/*/findings.json"), *(ROOT / "patches").glob("*/*/findings.json")]


def said(finding: str) -> list[str]:
    """Messages of its goldens."""
    found: list[dict[str, str]] = []
    for file in GOLDENS:
        found += json.loads(file.read_text(encoding="utf-8"))
    return [d["message"] for d in found if d["name"] == finding]


def messages(row: Abort, text: str, folder: Path) -> list[str]:
    for name, beside in row.beside.items():
        (folder / name).write_text(beside)
    file = folder / "file.prototxt"
    file.write_text(text)
    done = caffefix("--check", "--notes", "--format", "json", "--select", row.finding, file.name, cwd=folder)
    assert done.status in (0, 1), done.err
    return [d["message"] for d in json.loads(done.out)["files"][0]["findings"] if d["name"] == row.finding]


def mended(row: Abort) -> str:
    if row.after is not None:
        return row.after
    done = caffefix("--select", row.finding, "-", stdin=row.text.encode())
    assert done.status == 0, done.err
    return done.out.decode()


def test_no_finding_is_left_out() -> None:
    """A page or message that says Caffe aborts has its row; who is excused says so, and names a test."""
    claiming = {name for name, page in PAGES.items() if any(map(CLAIM.search, (page, *said(name))))}
    asked = {row.finding for row in ABORTS}
    assert claiming == asked | set(ELSEWHERE) | set(NOT_ASKED)
    assert not asked & {*ELSEWHERE, *NOT_ASKED}
    for test in ELSEWHERE.values():
        module, _, function = test.rpartition(".")
        assert hasattr(importlib.import_module(f"tests.{module}"), function), test


def test_what_caffefix_mends_is_not_mended_by_hand_only() -> None:
    """A finding that mends an abort is asked about with its own fix at least once."""
    goldens = [json.loads(file.read_text(encoding="utf-8")) for file in GOLDENS]
    fixing = {d["name"] for found in goldens for d in found if d["applied"] and CLAIM.search(d["message"])}
    for name in {row.finding for row in ABORTS} & fixing:
        assert any(row.after is None for row in ABORTS if row.finding == name), name


@pytest.mark.parametrize("row", ABORTS, ids=lambda row: f"{row.finding}: {row.words}")
def test_the_finding_says_what_caffe_says(row: Abort, tmp_path: Path) -> None:
    told = messages(row, row.text, tmp_path)
    assert told, row.text
    if not row.loosely:
        assert any(row.words in text for text in (*told, PAGES[row.finding]))
    assert not {*told} & {*messages(row, mended(row), tmp_path)}


@pytest.fixture(scope="module")
def answers(caffe_python: str) -> list[tuple[Abort, Answer, Answer]]:
    """What Caffe says of each text, before and after."""
    before = ask(caffe_python, [job(row, row.text) for row in ABORTS])
    return [*zip(ABORTS, before, ask(caffe_python, [job(row, mended(row)) for row in ABORTS]), strict=True)]


def job(row: Abort, text: str) -> Job:
    return Job(row.finding, text, row.phase, beside=row.beside, steps=row.steps)


@pytest.mark.caffe
@pytest.mark.parametrize("finding", sorted({row.finding for row in ABORTS}))
def test_caffe_aborts_in_these_words_and_loads_what_is_mended(
    answers: list[tuple[Abort, Answer, Answer]], tmp_path: Path, finding: str
) -> None:
    for row, before, after in answers:
        if row.finding != finding:
            continue
        assert before.abort, row.text
        assert row.words in before.abort
        told = messages(row, row.text, tmp_path)
        quoted = [words for text in told for words in re.findall(r'aborts.*? with "(.*?)"(?:[:;,]| at|$)', text)]
        if row.words:
            assert all(words in before.abort for words in quoted)
        else:
            assert quoted == [before.abort.strip()]
        assert after.abort is None if not row.then else row.then in (after.abort or ""), (mended(row), after.abort)


@pytest.mark.caffe
def test_only_nvidias_caffe_has_a_scale_filler_in_batch_norm(caffe_python: str) -> None:
    """The page of batch-norm-zero-gamma: BVLC's refuses what NVIDIA's needs."""
    text = (GOLDEN / "batch-norm-zero-gamma" / "fires" / "after.prototxt").read_text()
    (answer,) = ask(caffe_python, [Job("gamma", text)])
    assert 'Message type "caffe.BatchNormParameter" has no field named "scale_filler".' in (answer.abort or "")


@pytest.mark.caffe
def test_shapes_of_dummy_data_are_given_in_one_way(caffe_python: str) -> None:
    """The page of legacy-dummy-shapes, of what is no finding: a shape beside the old fields."""
    both = layer("DummyData", "", "dummy_data_param { num: 1 channels: 2 height: 3 width: 4 shape { dim: 2 } }")
    old = both.replace("shape { dim: 2 }", "")
    done = caffefix("-", stdin=old.encode())
    answers = ask(caffe_python, [Job("dummy", text) for text in (both, old, done.out.decode())])
    assert "Both shape and legacy fields were specified" in (answers[0].abort or "")
    assert [answer.blobs for answer in answers[1:]] == [{"odd": [1, 2, 3, 4]}] * 2


@pytest.mark.caffe
def test_todays_caffe_names_snapshots_by_itself(caffe_python: str) -> None:
    """The page of missing-snapshot-prefix: before 2018 it aborted, and that Caffe is not here."""
    fields = "".join(f"{name}: {value}\n" for name, value in {**FIELDS, "snapshot": "2"}.items())
    (answer,) = ask(caffe_python, [Job("snapshot", fields, beside={"train.prototxt": NET}, steps=2)])
    assert answer.abort is None
    assert {"net_iter_2.caffemodel", "net_iter_2.solverstate"} <= set(answer.files)
