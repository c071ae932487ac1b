"""Semantic patches: what they match, what they make of it, how they run."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caffefix.engine.explain import pages
from caffefix.engine.select import registered
from caffefix.fixers import GROUPS, OPTIONAL, SECTIONS
from caffefix.patching import _tables, tables
from caffefix.patching.errors import Mistake, PatchError
from caffefix.patching.shipped import shipped_patches
from caffefix.resources import resource
from tests.golden import ROOT, caffefix, caffefix_process
from tests.patches import HEAD, patch, patched, run

CONSTRUCTS = ROOT / "tests" / "data" / "patches"
FOLDERS = (CONSTRUCTS, ROOT / "patches")
CASES = sorted(p.parent for folder in FOLDERS for p in folder.glob("*/*/before.prototxt"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.name}")
def test_golden(case: Path) -> None:
    """A patch makes of a file what it should, and nothing more of that."""
    file = str(case.parent) + ".patch"
    after = case / "after.prototxt"
    before = (case / "before.prototxt").read_bytes()
    expected = after.read_bytes() if after.exists() else before
    done = caffefix("--patch", file, "-", stdin=before)
    assert done.status == 0, done.err
    assert done.out == expected
    again = caffefix("--patch", file, "--check", "-", stdin=expected)
    assert again.status == 0, again.out
    found = caffefix("--patch", file, "--check", "--notes", "--format", "json", "-", stdin=before).out
    assert bool(json.loads(found)["files"][0]["findings"]) == after.exists()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_commands_agree(folder: Path) -> None:
    assert caffefix("patch", "check", str(folder)).status == 0
    done = caffefix("patch", "test", str(folder))
    assert done.status == 0, done.out
    assert b"all as expected" in done.out


def test_the_saved_tables_are_those_of_the_grammar() -> None:
    assert Path(_tables.__file__).read_text(encoding="utf-8") == tables.text()


# ---------------------------------------------------------------- patches that come with caffefix


@pytest.mark.parametrize("one", shipped_patches(), ids=lambda one: one.front.name)
def test_a_shipped_patch_is_documented_and_has_its_cases(one) -> None:  # type: ignore[no-untyped-def]
    assert Path(one.source.path).stem == one.front.name
    (page,) = pages((one.front.name,))
    assert [section.title for section in page.sections] == [title for title in SECTIONS if title not in OPTIONAL]
    assert page.group in GROUPS
    assert page.applicability is one.front.applicability
    assert one.front.summary.endswith(".")
    folders = list(Path(one.source.path).with_suffix("").iterdir())
    assert any((folder / "after.prototxt").exists() for folder in folders), "no case fires"
    assert not all((folder / "after.prototxt").exists() for folder in folders), "no case shows when it must not"


def test_shipped_patches_are_among_the_findings() -> None:
    listed = caffefix("fixers").out.decode()
    names = [one.front.name for one in shipped_patches()]
    assert len(names) >= 12
    assert all(re.search(rf"^{name} ", listed, re.M) for name in names)
    assert len({fixer.name for fixer in registered()}) == len(registered())


def test_an_opt_in_patch_wants_its_name() -> None:
    net = (Path(resource("patches")) / "relu6-layer" / "fires" / "before.prototxt").read_bytes()
    for options in ([], ["--unsafe"], ["--select", "*", "--unsafe"]):
        assert b"ReLU6" in caffefix(*options, "-", stdin=net).out
    for options in (["--patch", "relu6-layer"], ["--select", "relu6-layer"]):
        assert b"ReLU6" not in caffefix(*options, "-", stdin=net).out


# ---------------------------------------------------------------- how they run

SAFE = "applicability: SAFE\n"
RENAME = '  layer {\n    type: "ReLU"\n-   top: "old"\n+   top: "new"\n    ...\n  }\n'
NET = 'layer {\n  name: "r"\n  type: "ReLU"\n  bottom: "a"\n  top: "old"\n}\n'


def write(folder: Path, name: str, front: str = "", body: str = RENAME) -> Path:
    file = folder / f"{name}.patch"
    file.write_text(f'name: "{name}"\nsummary: "What is wrong."\n{front}---\n{body}', encoding="utf-8")
    return file


def test_a_patch_is_looked_for_alone_or_with_what_is_selected(tmp_path: Path) -> None:
    file = write(tmp_path, "rename")
    old = b'layers { name: "r" type: RELU bottom: "a" top: "old" }\n'
    assert caffefix("--patch", file, "-", stdin=old).out == old
    migrated = caffefix("--patch", file, "--select", "legacy-v1-layers", "-", stdin=old)
    assert b'type: "ReLU"' in migrated.out
    assert b'top: "new"' in migrated.out
    told = caffefix("--patch", file, "--check", "--notes", "-", stdin=old)
    assert b"patches see the format of today" in told.out


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
        (["a.patch", "b.patch"], "a.patch is called rename, too"),
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
    assert "no before.prototxt; is befor.prototxt meant to be it?" in shown
    assert "no after.prototxt, but After.prototxt: is it meant to be it?" in shown
    assert "after.prototxt: the link leads nowhere" in shown
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


# ---------------------------------------------------------------- matches that no edit fits


def test_what_the_guide_says_to_look_out_for() -> None:
    """A blob with two readers and a layer in place is renamed by a body that has them all, and by no other."""
    top = '  layer {\n    type: "Convolution"\n-   top: "res${X}"\n+   top: "new${X}"\n    ...\n  }\n'
    relu = (
        '  layer {\n    type: "ReLU"\n-   bottom: "res${X}"\n-   top: "res${X}"\n'
        '+   bottom: "new${X}"\n+   top: "new${X}"\n    ...\n  }\n'
    )
    reader = '  layer {\n    type: "%s"\n-   bottom: "res${X}"\n+   bottom: "new${X}"\n    ...\n  }\n'
    both = reader % "Scale" + reader % "Pooling"
    net = (
        'layer { name: "c" type: "Convolution" bottom: "x" top: "res1" }\n'
        'layer { name: "r" type: "ReLU" bottom: "res1" top: "res1" }\n'
        'layer { name: "s" type: "Scale" bottom: "res1" top: "s" }\n'
        'layer { name: "p" type: "Pooling" bottom: "res1" top: "p" }\n'
    )
    assert patched(patch(top + relu + both), net) == net.replace("res1", "new1")
    part = run(patch(top + relu + reader % "Scale"), net)
    assert part.new is None
    assert "p would read res1, which nothing makes" in part.findings[0].message
    engine = (
        '  layer {\n    type: "ReLU"\n    relu_param {\n%s+     engine: CAFFE\n      ...\n    }\n    ...\n  }\n'
    )
    there = 'layer { type: "ReLU" relu_param { engine: CUDNN } }\n'
    assert run(patch(engine % ""), there).findings == ()
    assert patched(patch(engine % "-     engine: $E\n"), there) == there.replace("CUDNN", "CAFFE")


def test_what_suppresses_findings_of_a_layer_goes_with_it() -> None:
    """Other comments stay, as they do for all that is deleted."""
    dropping = patch(
        '- layer $D {\n-   type: "Dropout"\n-   bottom: $B\n-   top: $T\n-   $$$REST\n- }\n'
        "  layer {\n-   bottom: $T\n+   bottom: $B\n    ...\n  }\n"
    )
    ip = 'layer { name: "ip" type: "InnerProduct" bottom: "%s" top: "ip" }\n'
    net = (
        "# said of all\n\n# caffefix: ignore[some-finding] not for this\n# said of d\n"
        "  # caffefix: ignore[other-finding]\n"
        'layer {\n  name: "d"  # caffefix: ignore[third]\n  type: "Dropout"  # half\n  bottom: "x"\n  top: "d"\n'
        "}  # caffefix: ignore[a-patch-too] see there\n" + ip % "d"
    )
    made = patched(dropping, net)
    assert made == "# said of all\n\n# said of d\n# half\n" + ip % "x"
    after = net.replace("# caffefix: ignore[a-patch-too] see there", "# the end")
    assert "# the end\n" in patched(dropping, after)
    shared = 'layer { type: "Input" name: "in" top: "x" } layer { type: "Dropout" bottom: "x" top: "d" }'
    assert patched(dropping, shared + " # caffefix: ignore[f]\n" + ip % "d").endswith('"x" }\n' + ip % "x")


def test_an_edit_that_would_cut_the_net_is_not_made() -> None:
    cutting = patch('- layer {\n-   type: "Dropout"\n-   $$$REST\n- }\n')
    net = (
        'layer { name: "in" type: "Input" top: "a" }\n'
        'layer { name: "drop" type: "Dropout" bottom: "a" top: "b" }\n'
        'layer { name: "ip" type: "InnerProduct" bottom: "b" top: "c" }\n'
    )
    result = run(cutting, net)
    assert result.new is None
    assert "ip would read b, which nothing makes" in result.findings[0].message
    assert patched(cutting, net.replace('"b"', '"a"')).count("layer {") == 2


def scaling(value: str, constraint: str, field: str = "loss_weight") -> tuple[str, str]:
    front = f'variable {{ name: "X" {constraint} }}\n' if constraint else ""
    return f'  layer {{\n    type: "ReLU"\n-   {field}: $X\n+   {field}: {value}\n    ...\n  }}\n', front


@pytest.mark.parametrize(
    ("value", "constraint"),
    [
        ("$X * 10", "max: 1"),
        ("$X * 10", "min: 1"),
        ("$X * 10", "min: 0.1 max: 1"),
        ("$X * 1.5", "max: 0.9"),
        ("$X - 0.1", "min: 0.6"),
        ("$X + 1", "max: 100"),
        ("$X / 2", ""),
        ("-$X", "min: -1 max: 1"),
        ("1 / $X", "min: 0.1 max: 5"),
        ("$X * 10", "any_of: [0.01, 0.1]"),
        ("$X * 10", "none_of: [0.1, 1]"),
        ("$X * 10", 'regexp: "0[.]0*1"'),
    ],
)
def test_a_calculation_that_could_be_made_twice_is_refused(value: str, constraint: str) -> None:
    with pytest.raises(PatchError) as refused:
        patch(*scaling(value, constraint))
    assert refused.value.mistake is Mistake.CALCULATED_AGAIN
    assert "constrain $X" in refused.value.hint


def test_integers_that_are_halved_are_refused_too() -> None:
    change = "-     group: $X\n+     group: $X / 2\n      ...\n"
    with pytest.raises(PatchError):
        patch(f'  layer {{\n    type: "Convolution"\n    convolution_param {{\n{change}    }}\n    ...\n  }}\n')


@pytest.mark.parametrize(
    ("value", "constraint", "old", "new"),
    [
        ("$X * 10", "min: 0.5 max: 1", "0.5", "5"),
        ("$X * 10", "any_of: [0.01, 1]", "0.01", "0.1"),
        ("$X * 2", "any_of: [0, 1]", "1", "2"),
        ("-$X", "min: 0.5", "0.5", "-0.5"),
        ("1 / $X", "min: 2", "4", "0.25"),
        ("$X - 1", "min: 3 max: 3.5", "3", "2"),
    ],
)
def test_a_calculation_is_made_once(value: str, constraint: str, old: str, new: str) -> None:
    made = patch(*scaling(value, constraint))
    once = patched(made, f'layer {{ name: "r" type: "ReLU" loss_weight: {old} }}\n')
    assert f"loss_weight: {new} " in once
    assert patched(made, once) == once


@given(
    st.sampled_from(["$X * {}", "$X + {}", "$X - {}", "$X / {}", "{} - $X", "{} / $X", "$X * $X - {}", "-$X"]),
    st.sampled_from(["0.1", "0.5", "2", "3", "10"]),
    st.lists(st.sampled_from(["-2", "-0.5", "0", "0.1", "0.5", "1", "2", "4", "10"]), min_size=2, max_size=2),
    st.booleans(),
    st.integers(0, 10),
)
@settings(max_examples=200, deadline=None)
def test_what_is_accepted_is_idempotent(
    form: str, number: str, bounds: list[str], listed: bool, step: int
) -> None:
    low, high = sorted(bounds, key=float)
    constraint = f"any_of: [{low}, {high}]" if listed else f"min: {low} max: {high}"
    try:
        made = patch(*scaling(form.format(number), constraint))
    except PatchError:
        return
    value = low if step < 5 else high
    if not listed:
        value = str(float(low) + (float(high) - float(low)) * step / 10)
    net = f'layer {{ name: "r" type: "ReLU" loss_weight: {value} }}\n'
    (finding,) = run(made, net).findings or (None,)
    once = patched(made, net)
    assert once.count("loss_weight") == 1
    if finding is None or "not edited" in finding.message:
        return
    expected = eval(form.format(number).replace("$X", f"({value})"))  # of numbers and signs of the test's own
    assert float(once.split("loss_weight: ")[1].split()[0]) == pytest.approx(expected, rel=1e-5)


def test_a_layer_that_reads_from_outside_of_a_snippet_may_be_renamed() -> None:
    renaming = patch('  layer {\n-   name: "c"\n+   name: "d"\n    type: "ReLU"\n    ...\n  }\n')
    assert 'name: "d"' in patched(renaming, 'layer { name: "c" type: "ReLU" bottom: "x" top: "y" }\n')
    cutting = patch(
        '- layer {\n-   type: "Dropout"\n-   top: $T\n-   $$$REST\n- }\n'
        '  layer {\n-   name: "c"\n+   name: "d"\n    bottom: $T\n    ...\n  }\n'
    )
    net = (
        'layer { name: "first" type: "TanH" bottom: "b" top: "a" }\n'
        'layer { name: "drop" type: "Dropout" bottom: "a" top: "b" }\n'
        'layer { name: "c" type: "ReLU" bottom: "b" top: "y" }\n'
    )
    result = run(cutting, net)
    assert result.new is None, "b is read from outside first, but c reads what the Dropout made"
    assert "d would read b, which nothing makes" in result.findings[0].message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("$K / 2", "3.5 is no value of num_output"),
        ("$K / ($K - 7)", "7 / 0 is no number"),
        ("-$K", "-7 is no value"),
    ],
)
def test_a_number_that_does_not_come_out_is_told(value: str, words: str) -> None:
    calculating = patch(
        '  layer {\n    type: "Convolution"\n    convolution_param {\n      kernel_size: $K\n'
        f"+     num_output: {value}\n      ...\n    }}\n    ...\n  }}\n"
    )
    result = run(calculating, 'layer { type: "Convolution" convolution_param { kernel_size: 7 } }\n')
    assert result.new is None
    assert words in result.findings[0].message


def test_what_is_undeclared_is_refused() -> None:
    """A patch that says that it preserves the meaning, and does not."""
    lying = patch(
        '  layer {\n    type: "Pooling"\n    pooling_param {\n-     stride: 1\n+     stride: 2\n      ...\n    }\n'
        "    ...\n  }\n",
        "preserves_meaning: true\n",
    )
    result = run(lying, 'layer { type: "Pooling" pooling_param { kernel_size: 2 stride: 1 } }\n')
    assert result.status.failed
    assert "the meaning would change" in result.reason


# ---------------------------------------------------------------- hostile


def test_a_patch_that_multiplies_text_is_stopped() -> None:
    """Each turn makes two layers of each: only names of x match, so that a sample does not show it."""
    doubling = patch(
        '  layer {\n-   name: $N\n+   name: "x${N}"\n    type: "Silence"\n    $$$R\n  }\n'
        '+ layer {\n+   name: "xx${N}"\n+   type: "Silence"\n+   $$$R\n+ }\n',
        'variable { name: "N" regexp: "x*" }\n',
    )
    result = run(doubling, 'layer { type: "Input" top: "x" }\nlayer { name: "x" type: "Silence" bottom: "x" }\n')
    assert result.status.failed
    assert "times as long" in result.reason or "turns" in result.reason


def test_a_regular_expression_reads_a_value_once() -> None:
    slow = patch(
        '  layer {\n    name: $N\n    type: "ReLU"\n-   top: $T\n+   top: "x"\n    ...\n  }\n',
        'variable { name: "N" regexp: "(a+)+(a|aa)*(a*)*b" }\n',
    )
    long = "a" * 900
    net = "".join(f'layer {{ name: "{long}" type: "ReLU" bottom: "y" top: "{i}" }}\n' for i in range(50))
    assert run(slow, net).findings == ()


def test_too_many_ways_to_match_are_refused() -> None:
    body = '  layer {\n    type: "Concat"\n' + "".join(f"    bottom: $X{i}\n" for i in range(8))
    many = patch(body + '-   top: "never"\n+   top: "x"\n    ...\n  }\n')
    net = 'layer { type: "Concat" ' + "".join(f'bottom: "{i}" ' for i in range(60)) + 'top: "never" top: "x" }\n'
    result = run(many, net)
    assert result.status.failed
    assert "too many ways to match" in result.reason


def test_layers_joined_by_a_part_of_a_string_are_looked_up() -> None:
    """A thousand pairs are no thousand times a thousand ways."""
    renaming = patch(
        '  layer {\n    type: "Convolution"\n-   top: "res${X}"\n+   top: "stage${X}"\n    ...\n  }\n'
        '  layer {\n-   bottom: "res${X}"\n+   bottom: "stage${X}"\n    ...\n  }\n'
    )
    net = 'layer { name: "in" type: "Input" top: "a" }\n' + "".join(
        f'layer {{ name: "c{i}" type: "Convolution" bottom: "a" top: "res{i}" }}\n'
        f'layer {{ name: "s{i}" type: "Silence" bottom: "res{i}" }}\n'
        for i in range(1000)
    )
    new = patched(renaming, net)
    assert new == net.replace('"res', '"stage')


def test_a_name_of_a_megabyte_is_not_printed_whole(tmp_path: Path) -> None:
    body = '  layer {\n-   name: $N\n+   name: "x"\n    type: "ReLU"\n    bottom: $B\n    ...\n  }\n'
    file = write(tmp_path, "renaming", 'message: "${N} reads ${B}"\n', body)
    for net in (NET.replace('"r"', '"' + "r" * 10**6 + '"'), NET.replace('"a"', '"' + "a" * 10**6 + '"')):
        done = caffefix("--patch", file, "--check", "-", stdin=net.encode())
        assert done.status == 1
        assert len(done.out) + len(done.err) < 5000


def test_a_deep_file_does_not_matter() -> None:
    deep = 'layer { type: "ReLU" top: "old" ' + "a { " * 5000 + "} " * 5000 + "}\n"
    assert '"new"' in patched(patch(RENAME), deep)
    body = '  layer {\n-   type: "ReLU"\n+   type: "TanH"\n    $$$R\n  }\n'
    copying = patch(body + '+ layer {\n+   type: "Scale"\n+   $$$R\n+ }\n')
    result = run(copying, deep)
    assert "nested more than 64 deep" in result.findings[0].message


def test_a_huge_patch_is_loaded_and_runs() -> None:
    fields = "".join(f'    unknown_{i}: "{"x" * 100}"\n' for i in range(900))
    huge = patch('  layer {\n    type: "ReLU"\n' + fields + '-   top: "old"\n+   top: "new"\n    ...\n  }\n')
    net = 'layer { type: "ReLU"\n' + fields + '  top: "old"\n}\n'
    assert '"new"' in patched(huge, net)
    assert run(huge, NET).findings == ()


def test_a_patch_cannot_reach_out(tmp_path: Path) -> None:
    """What looks like code or a path is text."""
    odd = patch(
        '  layer {\n    type: "ReLU"\n    name: $N\n-   top: "old"\n+   top: "${N}"\n    ...\n  }\n',
    )
    name = "/etc/passwd {0.__class__} %s $(ls) ${X}"
    assert f'top: "{name}"' in patched(odd, NET.replace('"r"', f'"{name}"'))


def test_a_broken_patch_never_ends_in_a_traceback(tmp_path: Path) -> None:
    good = (HEAD + "---\n" + RENAME).encode()
    for cut in range(0, len(good), 7):
        for data in (
            good[:cut],
            good[cut:],
            good[:cut] + b"\xff\xfe{" + good[cut:],
            good[:cut] + b"$$$" + good[cut:],
        ):
            (tmp_path / "x.patch").write_bytes(data)
            done = caffefix("patch", "check", tmp_path / "x.patch")
            assert done.status in (0, 2)
            assert b"Traceback" not in done.err
            if done.status:
                assert re.match(rb"\S+x\.patch:\d+:\d+: ", done.err), done.err


def test_check_as_a_process(tmp_path: Path) -> None:
    file = write(tmp_path, "rename")
    done = caffefix_process("patch", "check", file)
    assert done.status == 0, done.err
    assert b'matches a layer of type ReLU with top "old"' in done.out


def test_a_net_too_big_for_a_shipped_patch_is_repaired_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caffefix.patching.matcher._STEPS", 3)
    layers = "".join(
        f'layers {{ name: "p{n}" type: POOLING bottom: "p" top: "p" pooling_param {{ global_pooling: true }} }}\n'
        for n in range(9)
    )
    done = caffefix("-", stdin=layers.encode())
    assert done.status == 0
    assert b'type: "Pooling"' in done.out
