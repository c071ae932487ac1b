"""Real files: what is read, what is refused, what is repaired."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from caffefix.engine.repair import Request, repair
from caffefix.results import FileResult, Status
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source
from tests.conftest import SHARED, corpus_files, or_skip
from tests.support.golden import caffefix


def outcome(path: Path) -> FileResult:
    return repair(Source(str(path), path.read_bytes()), Request())


def reads(path: Path) -> bool:
    try:
        parse(path.read_bytes().decode("latin-1"))
    except PrototxtError:
        return False
    return True


def judge(path: Path) -> None:
    result = outcome(path)
    assert result.status is not Status.REFUSED, result.reason
    if result.new is not None:
        again = repair(Source(str(path), result.new), Request())
        assert again.status is Status.CLEAN
        lines = {line.strip() for line in path.read_bytes().split(b"\n") if line.strip().startswith(b"#")}
        assert lines <= {line.strip() for line in result.new.split(b"\n")}


@pytest.mark.parametrize("path", or_skip(corpus_files(20)))
def test_sample(path: Path) -> None:
    judge(path)


@pytest.mark.slow
def test_whole(shared: Path) -> None:
    for path in corpus_files():
        judge(path)


def test_what_is_refused_is_refused_by_protobuf(shared: Path) -> None:
    """Each file that does not parse here does not load in real Caffe either (oracle/upgrade.tsv)."""
    rows = (line.split("\t") for line in (shared / "oracle/upgrade.tsv").read_text(errors="replace").splitlines())
    verdicts = {row[0]: row[3] for row in rows}
    refused = [path for path in corpus_files() if not reads(path)]
    for path in refused:
        name = str(path.relative_to(SHARED / "corpus"))
        assert verdicts[name] == "refused", name
    assert len(refused) / len(corpus_files()) < 0.034


SEEDS = sorted((SHARED / "seeds").glob("*.prototxt"))


@pytest.mark.parametrize("seed", or_skip(SEEDS, lambda path: path.stem))
def test_seed(seed: Path, tmp_path: Path) -> None:
    """The diff of a dry run, applied by git, is what the command writes; a second run changes nothing."""
    (tmp_path / "git").mkdir()
    (tmp_path / "run").mkdir()
    for folder in ("git", "run"):
        shutil.copyfile(seed, tmp_path / folder / seed.name)
    shown = caffefix("--dry-run", seed.name, cwd=tmp_path / "git")
    done = caffefix(seed.name, cwd=tmp_path / "run")
    written = (tmp_path / "run" / seed.name).read_bytes()
    unreadable = seed.stem in ("s002_fragment", "s003_fragment_a_with_dots")
    assert (shown.status, done.status) == ((2, 2) if unreadable else (0, 0))
    if shown.out:
        subprocess.run(["git", "apply", "-"], cwd=tmp_path / "git", input=shown.out, check=True)
    assert (tmp_path / "git" / seed.name).read_bytes() == written
    caffefix(seed.name, cwd=tmp_path / "run")
    assert (tmp_path / "run" / seed.name).read_bytes() == written


def test_seed_002_is_refused_where_the_brace_was_opened(shared: Path) -> None:
    done = caffefix("--check", shared / "seeds/s002_fragment.prototxt")
    lines = (shared / "seeds/s002_fragment.prototxt").read_text().splitlines()
    last = max(number for number, line in enumerate(lines, 1) if line == "layer {")
    assert f"s002_fragment.prototxt:{last}:1:".encode() in done.err


def test_seed_004_gets_notes_on_its_mean_and_msra_on_request(shared: Path) -> None:
    seed = shared / "seeds/s004_train_val.prototxt"
    done = caffefix("--dry-run", "--unsafe", "--notes", seed)
    assert b"mean-in-scaled-units [note] data, lines " in done.err
    changed = {line[1:].split(b":")[0].strip() for line in done.out.splitlines() if line[:1] in b"+-"}
    assert changed >= {b"type"}
    assert not changed & {b"mean_file", b"mean_value", b"scale"}
    assert done.out.count(b'+      type: "msra"') == 16
    assert caffefix("--dry-run", seed).out == b""
    assert b"2 notes (--notes)" in caffefix("--dry-run", seed).err
