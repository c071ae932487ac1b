"""Semantic patches: what they match, and what they make of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caffefix._startup.resources import resource
from caffefix.commands._shared.pages import pages
from caffefix.engine.select import registered
from caffefix.fixers import GROUPS, OPTIONAL, SECTIONS
from caffefix.patching.errors import Mistake, PatchError
from caffefix.patching.shipped import shipped_patches
from tests.support.golden import ROOT, caffefix
from tests.support.patches import patch, patched, run

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
    done = caffefix("--patch", file, "--exit-zero", "-", stdin=before)
    assert done.status == 0, done.err
    assert done.out == expected
    again = caffefix("--patch", file, "--check", "--format", "json", "-", stdin=expected)
    assert json.loads(again.out)["files"][0]["status"] == "clean"
    found = caffefix("--patch", file, "--check", "--notes", "--format", "json", "-", stdin=before).out
    assert bool(json.loads(found)["files"][0]["findings"]) == after.exists()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_commands_agree(folder: Path) -> None:
    assert caffefix("patch", "check", str(folder)).status == 0
    done = caffefix("patch", "test", str(folder))
    assert done.status == 0, done.out
    assert b"all as expected" in done.out


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
    assert all(re.search(rf"^  {name} ", listed, re.M) for name in names)
    assert len({fixer.name for fixer in registered()}) == len(registered())


def test_an_opt_in_patch_wants_its_name() -> None:
    net = (Path(resource("patches")) / "relu6-layer" / "fires" / "before.prototxt").read_bytes()
    for options in ([], ["--unsafe"], ["--select", "*", "--unsafe"]):
        assert b"ReLU6" in caffefix(*options, "-", stdin=net).out
    for options in (["--patch", "relu6-layer"], ["--select", "relu6-layer"]):
        assert b"ReLU6" not in caffefix(*options, "-", stdin=net).out


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
    assert "p would read res1, which no layer produces" in part.findings[0].message
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
    assert "ip would read b, which no layer produces" in result.findings[0].message
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
    assert "d would read b, which no layer produces" in result.findings[0].message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("$K / 2", "3.5 is not a valid value of num_output"),
        ("$K / ($K - 7)", "7 / 0 is not a number"),
        ("-$K", "-7 is not a valid value"),
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


UNKNOWN_BESIDE_A_DEFAULT = """  layer {
    type: "Convolution"
    $P {
-     my_field: 3
+     my_field: 4
      bias_term: true
      ...
    }
    ...
  }
"""


@pytest.mark.parametrize("given", ["", " bias_term: true"])
def test_a_default_may_be_absent_beside_a_field_that_no_fork_knows(given: str) -> None:
    net = f'layer {{ name: "c" type: "Convolution" convolution_param {{ num_output: 4 my_field: 3{given} }} }}\n'
    made = patch(UNKNOWN_BESIDE_A_DEFAULT, "opt_in: true\n")
    assert patched(made, net) == net.replace("my_field: 3", "my_field: 4")


NO_OTHER_FIELDS = """  layer {
    type: "Convolution"
    convolution_param {
-     num_output: 4
+     num_output: 5
    }
    ...
  }
"""


@pytest.mark.parametrize(
    "default", ["", "pad: 0", "pad: [0]", "pad: [0, 0]", "stride: [1]", "dilation: 1 dilation: 1"]
)
def test_defaults_in_lists_say_nothing(default: str) -> None:
    made = patch(NO_OTHER_FIELDS)
    net = f'layer {{ name: "c" type: "Convolution" convolution_param {{ num_output: 4 {default} }} }}\n'
    assert patched(made, net) == net.replace("num_output: 4", "num_output: 5")
    other = net.replace("num_output: 4", "num_output: 4 pad: 1")
    assert patched(made, other) == other
