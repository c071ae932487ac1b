"""``python -m dev``: what it writes, and what it refuses."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import lark
import pytest

from caffefix.syntax import _tables
from dev.regen import MADE
from tests.conftest import ROOT

# Right in every Caffe, and nothing that a finding will ever be about.
EXAMPLE = 'layer { name: "a" type: "Power" bottom: "data" top: "a" power_param { shift: 777 } }\n'


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout, with git's memory of it."""
    folder = tmp_path_factory.mktemp("checkout") / "caffefix"
    folders = ("caffefix", "dev", "docs", "golden", "grammar", "man", "patches", "tests")
    parts = (*folders, "README.md", "CHANGELOG.md", "pyproject.toml")
    for part in parts:
        source = ROOT / part
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, folder / part, ignore=ignore) if source.is_dir() else shutil.copy(source, folder)
    for args in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *args], cwd=folder, check=True)
    return folder


def dev(checkout: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dev", *args]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def test_everything_generated_is_what_would_be_generated(checkout: Path) -> None:
    done = dev(checkout, "regen")
    changed = set(done.stdout.split()) - {"changed"}
    if lark.__version__ != _tables.LARK:  # it stands in the tables
        changed -= {f"caffefix/{part}/_tables.py" for part in ("syntax", "patching", "proto")}
    assert (done.returncode, changed) == (0, set()), done.stderr


def test_what_is_generated_says_by_what() -> None:
    """Each module that says at its head that it is made is made by one command, or when the package is built."""
    heads = {path: path.read_text(encoding="utf-8")[:200] for path in (ROOT / "caffefix").rglob("_*.py")}
    made = {path.relative_to(ROOT).as_posix(): head for path, head in heads.items() if "Do not edit." in head}
    built = {path for path, head in made.items() if "when the package is built" in head}
    assert len(made) >= 3
    assert made.keys() - built <= set(MADE)
    assert all("python -m dev regen" in made[path] for path in made.keys() - built)
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert all(f"caffefix/**/{Path(path).name}" in ignored for path in built)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """The options of ``dev new finding``: a net with the pattern, and one without."""
    (tmp_path / "bad.prototxt").write_text(EXAMPLE)
    (tmp_path / "good.prototxt").write_text(EXAMPLE.replace("777", "0.5"))
    return ["--example", str(tmp_path / "bad.prototxt"), "--fine", str(tmp_path / "good.prototxt")]


def test_a_new_finding_from_nothing(checkout: Path, files: list[str]) -> None:
    done = dev(checkout, "new", "finding", "large-shift", "--group", "graph", *files)
    assert done.returncode == 0, done.stderr
    assert "nothing fires on the example yet" in done.stdout
    module = checkout / "caffefix/fixers/graph/large_shift.py"
    text = module.read_text().replace('"TheType"', '"Power"')
    module.write_text(text.replace('"the_param", "the_field"', '"power_param", "shift"'))
    blessed = dev(checkout, "bless", "large-shift")
    assert blessed.returncode == 0, blessed.stderr
    assert "+++ b/golden/large-shift/example/findings.json" in blessed.stdout
    assert "changed docs/findings/large-shift.md" in blessed.stdout
    cases = {path.name: (path / "findings.json").exists() for path in (checkout / "golden/large-shift").iterdir()}
    silent = {"looks-alike-is-fine": False, "suppressed-is-silent": False}
    assert cases == {"example": True, "odd-layout": True, "odd-comments": True, **silent}
    fine = checkout / "golden/large-shift/looks-alike-is-fine/before.prototxt"
    fine.write_text(EXAMPLE)
    loud = dev(checkout, "bless", "large-shift")
    assert loud.returncode == 1
    assert "large-shift/looks-alike-is-fine" in loud.stderr
    assert not fine.with_name("findings.json").exists()
    again = dev(checkout, "new", "finding", "large-shift", "--group", "data", *files)
    assert again.returncode == 1
    assert "there is a finding large-shift already" in again.stderr


def test_a_new_finding_says_what_fires_already(checkout: Path, files: list[str]) -> None:
    Path(files[1]).write_text(
        'layer { name: "d" type: "Dropout" bottom: "a" top: "a" dropout_param { dropout_ratio: 1 } }\n'
    )
    done = dev(checkout, "new", "finding", "total-dropout", "--group", "graph", *files)
    assert "already fires on the example: dropout-of-everything" in done.stdout


@pytest.mark.parametrize("name", ["Steep", "large_shift", "steep", "-large-shift", "../large-shift"])
def test_names_that_no_finding_has(checkout: Path, files: list[str], name: str) -> None:
    done = dev(checkout, "new", "finding", "--group", "graph", *files, "--", name)
    assert done.returncode == 1
    assert "in kebab-case" in done.stderr
    for command in ("bless", "check"):
        done = dev(checkout, command, "--", name)
        assert done.returncode == 1
        assert f"there is no folder golden/{name}" in done.stderr


def test_bench_lists_what_it_can_run(checkout: Path) -> None:
    listed = dev(ROOT, "bench").stdout.splitlines()
    assert {line.split()[0] for line in listed} == {path.stem for path in (ROOT / "bench").glob("[a-z]*.py")}
    assert all(len(line.split()) > 3 for line in listed)
    assert dev(ROOT, "bench", "nothing").returncode == 2


def test_a_release_needs_its_version_and_its_section(checkout: Path) -> None:
    assert "not 9.9.9" in dev(ROOT, "release", "9.9.9").stderr
    shutil.copy(ROOT / "CHANGELOG.md", checkout)
    assert "no section '## 0.1.0 (date)'" in dev(checkout, "release", "0.1.0").stderr
    text = (checkout / "CHANGELOG.md").read_text().replace("## Unreleased", "## 0.1.0 (2026-11-29)")
    (checkout / "CHANGELOG.md").write_text(text)
    assert "something is not committed" in dev(checkout, "release", "0.1.0").stderr
