"""Semantic patches from outside: ``--patch``, ``patch check`` and ``patch test``; output, exit status, files."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.support.golden import ROOT, caffefix, caffefix_process
from tests.support.patches import NET, RENAME, write

SAFE = "applicability: SAFE\n"


def test_a_patch_is_looked_for_alone_or_with_what_is_selected(tmp_path: Path) -> None:
    file = write(tmp_path, "rename")
    old = b'layers { name: "r" type: RELU bottom: "a" top: "old" }\n'
    assert caffefix("--patch", file, "-", stdin=old).out == old
    migrated = caffefix("--patch", file, "--select", "legacy-v1-layers", "-", stdin=old)
    assert b'type: "ReLU"' in migrated.out
    assert b'top: "new"' in migrated.out
    told = caffefix("--patch", file, "--check", "--notes", "-", stdin=old)
    assert b"1 file of an old format was not checked by --patch" in told.err


def test_unsafe_patches_of_a_folder_want_a_word(tmp_path: Path) -> None:
    write(tmp_path, "careless")
    done = caffefix("--patch", tmp_path, "-", stdin=NET.encode())
    assert done.out == NET.encode()
    assert b"1 unsafe fix not applied" in done.err
    assert b'"new"' in caffefix("--patch", tmp_path, "--unsafe", "-", stdin=NET.encode()).out
    assert b'"new"' in caffefix("--patch", tmp_path / "careless.patch", "-", stdin=NET.encode()).out
    write(tmp_path, "careless", SAFE)
    assert b'"new"' in caffefix("--patch", tmp_path, "-", stdin=NET.encode()).out


@pytest.mark.parametrize("name", ["x\ny", "\x1b[31m", "\u2028", "\udce9"])
def test_names_of_files_do_not_reach_the_terminal_as_they_are(name: str, tmp_path: Path) -> None:
    def shown(*arguments: object) -> str:
        done = caffefix(*arguments, cwd=tmp_path)
        assert done.status
        return (done.out + done.err).decode()

    file = f"{name}.patch"
    texts = [shown("--patch", f"./{name}", "x"), shown("--patch", file, "x"), shown("patch", "test", file)]
    (tmp_path / file).write_text("name: 1\n")
    (tmp_path / f"{name}.d").mkdir()
    texts += [shown("patch", "check", file), shown("patch", "check", f"{name}.d")]
    write(tmp_path, "rename").rename(tmp_path / file)
    texts += [caffefix("patch", "check", file, cwd=tmp_path).out.decode(), shown("patch", "test", file)]
    (tmp_path / name / name).mkdir(parents=True)
    texts.append(shown("patch", "test", file))
    for text in texts:
        assert not re.search("[\x00-\x09\x0b-\x1f\u2028]|x\ny", text), text


def test_a_refused_file_is_not_sent_to_unsafe(tmp_path: Path) -> None:
    body = '  layer {\n-   name: $N\n+   name: "x${N}"\n    type: "ReLU"\n    ...\n  }\n'
    file = write(tmp_path, "growing", 'variable { name: "N" regexp: "x*r" }\n', body)
    done = caffefix("--patch", file, "-", stdin=NET.encode())
    assert b"1 refused" in done.err
    assert b"--unsafe" not in done.err


def test_the_report_has_place_layer_message_and_title(tmp_path: Path) -> None:
    file = write(tmp_path, "rename", 'message: "a top is called old, below ${B}"\ntitle: "new top"\n',
                 RENAME.replace("    ...", "    bottom: $B\n    ..."))  # fmt: skip
    done = caffefix("--patch", file, "--check", "--format", "json", "-", stdin=NET.encode())
    assert done.status == 1
    (found,) = json.loads(done.out)["files"][0]["findings"]
    assert (found["name"], found["line"], found["column"], found["layer"]) == ("rename", 5, 3, "r")
    assert found["message"] == "a top is called old, below a"
    assert found["applied"]
    diff = caffefix("--patch", file, "--dry-run", "-", stdin=NET.encode()).out
    assert b"[rename]" in diff


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["no-such-patch"], "no patch called 'no-such-patch' comes with caffefix"),
        (["relu6-layr"], "did you mean relu6-layer?"),
        (["missing.patch"], "missing.patch: cannot be read"),
        (["."], "there is no *.patch file in this folder"),
        (["a.patch", "b.patch"], "a.patch is also called rename"),
        (["c.patch"], "caffefix has a finding called duplicate-top"),
    ],
)
def test_a_patch_that_cannot_be_used_ends_the_run_before_it_begins(
    values: list[str], words: str, tmp_path: Path
) -> None:
    if values != ["."]:
        write(tmp_path, "rename").rename(tmp_path / "a.patch")
        write(tmp_path, "rename").rename(tmp_path / "b.patch")
        write(tmp_path, "duplicate-top").rename(tmp_path / "c.patch")
    (tmp_path / "net.prototxt").write_text(NET)
    given = [part for value in values for part in ("--patch", value)]
    done = caffefix(*given, "net.prototxt", cwd=tmp_path)
    assert done.status == 2
    assert words in done.err.decode()
    assert (tmp_path / "net.prototxt").read_text() == NET


def test_a_test_that_fails_is_shown_and_fails(tmp_path: Path) -> None:
    file = write(tmp_path, "rename")
    assert caffefix("patch", "test", file).status == 2
    case = tmp_path / "rename" / "case"
    case.mkdir(parents=True)
    (case / "before.prototxt").write_text(NET)
    assert caffefix("patch", "test", file).status == 1, "it fires, and should not"
    (case / "after.prototxt").write_text(NET)
    done = caffefix("patch", "test", tmp_path)
    assert done.status == 1
    assert b'-  top: "old"' in done.out
    assert b'+  top: "new"' in done.out
    (case / "after.prototxt").write_text(NET.replace("old", "new"))
    assert caffefix("patch", "test", tmp_path).status == 0
    (case / "before.prototxt").write_text('layer { type: "Scale" }\n')
    assert caffefix("patch", "test", tmp_path).status == 1, "a case that expects a change finds nothing"


def test_check_refuses_a_name_that_a_run_would_refuse(tmp_path: Path) -> None:
    done = caffefix("patch", "check", write(tmp_path, "legacy-v1-layers"))
    assert done.status == 2
    assert b"caffefix has a finding called legacy-v1-layers" in done.err


def test_no_folder_of_a_test_is_passed_over(tmp_path: Path) -> None:
    """A file that is misspelt, missing or a link that leads nowhere fails, each folder by itself."""
    file = write(tmp_path, "rename")
    case = tmp_path / "rename" / "good"
    case.mkdir(parents=True)
    (case / "before.prototxt").write_text(NET)
    (case / "after.prototxt").write_text(NET.replace("old", "new"))
    done = caffefix("patch", "test", file)
    assert done.status == 0
    assert b"1 case, all as expected" in done.out
    other = NET.replace("ReLU", "TanH")
    folders = {
        "empty": {},
        "misspelt": {"befor.prototxt": NET},
        "shouted": {"before.prototxt": other, "After.prototxt": other},
        "typo": {"before.prototxt": other, "afer.prototxt": other},
    }
    for name, files in folders.items():
        (tmp_path / "rename" / name).mkdir()
        for called, text in files.items():
            (tmp_path / "rename" / name / called).write_text(text)
    for name, link in {"lost": "before.prototxt", "dangling": "after.prototxt"}.items():
        (tmp_path / "rename" / name).mkdir()
        (tmp_path / "rename" / name / "before.prototxt").write_text(other)
        (tmp_path / "rename" / name / link).unlink(missing_ok=True)
        (tmp_path / "rename" / name / link).symlink_to("nowhere")
    (tmp_path / "rename" / "gone").symlink_to("nowhere")
    (tmp_path / "rename" / "README.md").write_text("Not a case.\n")
    done = caffefix("patch", "test", file)
    assert done.status == 1
    shown = done.out.decode()
    assert re.findall(r"^ok +\S*/(\w+)$", shown, re.M) == ["good"]
    assert len(re.findall(r"^FAILED", shown, re.M)) == 7
    assert "no before.prototxt; should befor.prototxt be called that?" in shown
    assert "no after.prototxt, but After.prototxt: should it be called that?" in shown
    assert "after.prototxt: the link is broken" in shown
    assert "8 cases, 7 failed" in shown


def test_a_run_without_patches_does_not_import_lark(tmp_path: Path) -> None:
    """Nor does one with them: the tables are saved."""
    code = "import sys; from caffefix.cli import main; main(sys.argv[1:])"
    (tmp_path / "net.prototxt").write_text(NET)
    write(tmp_path, "rename")
    import subprocess

    script = f"import atexit, sys\natexit.register(lambda: print('lark' in sys.modules))\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", script, "--patch", "rename.patch", "--check", "net.prototxt"],
        cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT), "PATH": ""}, check=False,
    )  # fmt: skip
    assert done.stdout.split()[-1] == "False", done.stderr


def test_check_as_a_process(tmp_path: Path) -> None:
    file = write(tmp_path, "rename")
    done = caffefix_process("patch", "check", file)
    assert done.status == 0, done.err
    assert b'matches a layer of type ReLU with top "old"' in done.out
