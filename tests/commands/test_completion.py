"""TAB in real bash, zsh and fish."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from caffefix.caffe.schema import load
from caffefix.commands._shared.usage import usage
from caffefix.commands.completion.values import of_argument, of_flag
from caffefix.engine.select import registered
from caffefix.reports.formats import NAMES
from tests.support.golden import caffefix
from tests.support.shells import Fish, Terminal, start

FILES = (
    "net.prototxt", "my net.prototxt", "it's.prototxt", 'q"x.prototxt', "old.pt", "README.md", "train.log",
    "caffe.proto", "fix.patch", "caffefix.toml", "models/deep net/train_val.prototxt",
)  # fmt: skip
NETS = ["it's.prototxt", "models", "my net.prototxt", "net.prototxt", "old.pt", 'q"x.prototxt']
FINDINGS = sorted(fixer.name for fixer in registered())
PATCHES = sorted(fixer.name for fixer in registered() if fixer.is_patch)
COMMANDS = sorted(command.name for command in usage().commands)


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal | Fish]:
    folder = tmp_path_factory.mktemp("shell")
    script = folder / "script"
    done = caffefix("completion", request.param)
    assert done.status == 0
    script.write_bytes(done.out)
    started = start(request.param, script, folder)
    yield started
    started.close()


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("", sorted(NETS + COMMANDS)),
        ("dep", ["deploy"]),
        ("net.prototxt ", NETS),
        ("--check ", NETS),
        ("--jobs 3 dep", []),
        ("--dr", ["--dry-run"]),
        ("net.prototxt --dr", ["--dry-run"]),
        ("--vers", ["--version"]),
        ("./ne", ["net.prototxt"]),
        ("models/", ["deep net"]),
        ("RE", ["README.md"]),
        ("--select ", FINDINGS),
        ("--select=", FINDINGS),
        ("--ignore batch-*,missing-weight", ["missing-weight-filler"]),
        ("--ignore=batch-*,missing-weight", ["missing-weight-filler"]),
        ("explain missing-weight", ["missing-weight-filler"]),
        ("explain relu6-layer missing-weight", ["missing-weight-filler"]),
        ("suppress --reason x --select ", FINDINGS),
        ("--dialect ", sorted(load().forks)),
        ("prove net.prototxt --dialect bvlc-rc", ["bvlc-rc", "bvlc-rc2", "bvlc-rc3", "bvlc-rc4"]),
        ("--format ", sorted(NAMES)),
        ("--format=js", ["json", "jsonl"]),
        ("--format json --format=sarif=RE", ["README.md"]),
        ("--format sarif=models/", ["deep net"]),
        ("fixers --format ", ["json", "text"]),
        ("--fail-on ", ["change", "error", "never", "warning"]),
        ("--target=", ["caffe", "caffe-old"]),
        ("--patch ", sorted([*PATCHES, "fix.patch", "models"])),
        ("--proto ", ["caffe.proto", "models"]),
        ("--config ", ["caffefix.toml", "models"]),
        ("--root ", ["models"]),
        ("--patch-dir=", ["models"]),
        ("--log tr", ["train.log"]),
        ("log ", sorted(name.partition("/")[0] for name in FILES)),
        ("log train.log ", NETS),
        ("log --format json train.log ", NETS),
        ("diff net.prototxt ", NETS),
        ("deploy net.prototxt --out ", NETS),
        ("signal --phase ", ["TEST", "TRAIN"]),
        ("patch ", ["check", "new", "test"]),
        ("patch check ", ["fix.patch", "models"]),
        ("patch new --na", ["--name"]),
        ("cache prune --cache-dir ", ["models"]),
        ("completion ", ["bash", "fish", "zsh"]),
        ("--docs-url ", []),
        ("--jobs ", []),
        ("fixers ne", []),
    ],
)
def test_what_is_offered(shell: Terminal | Fish, zoo: Path, line: str, offered: list[str]) -> None:
    assert shell.complete(f"caffefix {line}", zoo).offered == offered


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("my", r"my\ net.prototxt"),
        ('"my', '"my net.prototxt"'),
        (r"my\ n", r"my\ net.prototxt"),
        ("'q", "'q\"x.prototxt'"),
        (r"models/deep\ net/", r"models/deep\ net/train_val.prototxt"),
        ("'models/deep net/t", "'models/deep net/train_val.prototxt'"),
        ("--format=sarif=RE", "--format=sarif=README.md"),
        ("--baseline=my", r"--baseline=my\ net.prototxt"),
        ("--format sarif=my", r"--format sarif=my\ net.prototxt"),
        ("--select relu6-layer,missing-weight", "--select relu6-layer,missing-weight-filler"),
    ],
)
def test_the_line_after_tab(shell: Terminal | Fish, zoo: Path, line: str, completed: str) -> None:
    if isinstance(shell, Fish):
        pytest.skip("fish tells programs what it offers, not the line")
    assert shell.complete(f"caffefix {line}", zoo).line.rstrip() == f"caffefix {completed}"


HOSTILE = (
    "$(touch HIT).prototxt", "`touch HIT`.prototxt", "; touch HIT;.prototxt", "| touch HIT.prototxt",
    "$HOME.prototxt", "*.prototxt", "a\\b.prototxt", "${x[$(touch HIT)]}.prototxt", "&touch HIT&.prototxt",
    "new\nline.prototxt", "-x$(touch HIT).prototxt", "~root.prototxt", "#c.prototxt", "x=$(touch HIT).prototxt",
)  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "", "--baseline ", "--format=sarif=", "log ", "'", '"', "$(touch HIT", "`touch HIT",
        "--select $(touch HIT),", "--format=$(touch HIT)=", "--baseline=$(touch HIT)",
    ],
)  # fmt: skip
def test_hostile_names_are_not_run(shell: Terminal | Fish, tmp_path: Path, line: str) -> None:
    for name in HOSTILE:
        (tmp_path / name).touch()
    shell.complete(f"caffefix {line}", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(HOSTILE)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_completed_to_itself(shell: Terminal | Fish, tmp_path: Path, name: str) -> None:
    """What TAB writes stands for the file, as the shell itself reads it."""
    if isinstance(shell, Fish) or "\n" in name:
        pytest.skip("needs a line on a terminal")
    (tmp_path / name).touch()
    line = shell.complete("caffefix ./", tmp_path).line
    assert shell.words(line, tmp_path) == ["caffefix", f"./{name}"]


@pytest.mark.parametrize("name", ["$(touch HIT)", "`touch HIT`", ";touch HIT;", "a b'c"])
def test_what_is_in_a_hostile_folder(shell: Terminal | Fish, tmp_path: Path, name: str) -> None:
    if isinstance(shell, Fish):
        pytest.skip("needs a line on a terminal")
    (tmp_path / name).mkdir()
    (tmp_path / name / "net.prototxt").touch()
    folder = shell.complete("caffefix ./", tmp_path).line
    line = shell.complete(folder, tmp_path).line
    assert shell.words(line, tmp_path) == ["caffefix", f"./{name}/net.prototxt"]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_large_folder_is_completed_at_once(shell: Terminal | Fish, tmp_path: Path) -> None:
    for number in range(1000):
        (tmp_path / f"net{number:03}.prototxt").touch()
    shell.complete("caffefix net000", tmp_path)
    begun = time.monotonic()
    assert shell.complete("caffefix net99", tmp_path).offered == [f"net99{n}.prototxt" for n in range(10)]
    # Fish is started for each line here.
    assert time.monotonic() - begun < 1.5


def test_every_option_and_argument_has_a_kind() -> None:
    for command in usage().all():
        for flag in command.options:
            assert (of_flag(flag) is None) == (not flag.takes_value)
        for argument in command.arguments:
            of_argument(argument)


def test_a_flag_takes_a_value_everywhere_or_nowhere() -> None:
    """Fish's script has one list of them for all commands."""
    kinds: dict[str, set[bool]] = {}
    for command in usage().all():
        for flag in command.options:
            for text in flag.flags:
                kinds.setdefault(text, set()).add(flag.takes_value)
    assert all(len(kind) == 1 for kind in kinds.values())


def test_another_shell_is_refused() -> None:
    done = caffefix("completion", "csh")
    assert done.status == 2
    assert b"'csh' is not one of 'bash', 'zsh', 'fish'" in done.err
