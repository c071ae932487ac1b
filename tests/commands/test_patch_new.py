"""``caffefix patch new``: the patch does to the example what was done, and to sibling files what was meant."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caffefix.commands.patch.derive import DeriveError, derive
from caffefix.patching.load import patch_of
from caffefix.syntax.source import Source
from tests.support.golden import ROOT, caffefix
from tests.support.patches import patched

CHORES = sorted((ROOT / "tests" / "data" / "chores").iterdir())


def derived(before: str, after: str) -> str:
    return derive(Source("before", before.encode()), Source("after", after.encode()), "a-patch").decode()


def derived_or_refused(before: str, after: str, words: str) -> str | None:
    try:
        return derived(before, after)
    except DeriveError as refused:
        error = str(refused)
    assert words in error
    return None


# ---------------------------------------------------------------- chores of a zoo


@pytest.mark.parametrize("chore", CHORES, ids=lambda chore: chore.name)
def test_chores(chore: Path, tmp_path: Path) -> None:
    """One edit by hand gives the patch that stands there, and this does the same to sibling files."""
    made = caffefix("patch", "new", "before.prototxt", "after.prototxt", "--name", chore.name, cwd=chore)
    assert made.status == 0, made.err
    assert made.out == (chore / "derived.patch").read_bytes()
    file = tmp_path / "derived.patch"
    file.write_bytes(made.out)
    for folder in (chore, *(p for p in chore.iterdir() if p.is_dir())):
        done = caffefix("--patch", file, "-", stdin=(folder / "before.prototxt").read_bytes())
        assert done.out == (folder / "after.prototxt").read_bytes()


def test_there_are_five() -> None:
    assert len(CHORES) >= 5
    assert all(any(p.is_dir() for p in chore.iterdir()) for chore in CHORES)


@pytest.mark.parametrize("name", ["A b", "", "../x", "-x", "x\ny", "all", "legacy-v1-layers"])
def test_a_name_that_is_none_is_told_before_anything_is_read(name: str) -> None:
    done = caffefix("patch", "new", "nowhere", "nothing", "--name", name)
    assert done.status == 2
    assert b"--name" in done.err
    assert b"nowhere" not in done.err
    assert b"Traceback" not in done.err


def test_the_net_before_may_come_from_a_pipe(tmp_path: Path) -> None:
    chore = CHORES[0]
    before, after = (chore / name for name in ("before.prototxt", "after.prototxt"))
    usual = caffefix("patch", "new", before, after, "--name", chore.name)
    assert caffefix("patch", "new", "-", after, "--name", chore.name, stdin=before.read_bytes()).out == usual.out
    reading, writing = os.pipe()
    os.write(writing, before.read_bytes()[: 1 << 15])
    os.close(writing)
    piped = caffefix("patch", "new", f"/dev/fd/{reading}", after, "--name", chore.name)
    os.close(reading)
    assert piped.out == usual.out, piped.err
    assert caffefix("patch", "new", "-", "-").status == 2


# ---------------------------------------------------------------- properties

NUMBERS = st.sampled_from(["1", "2", "3", "5", "64", "0.5", "1e-3"])
FIELDS = ("num_output", "kernel_size", "group")
TYPES = ("Convolution", "Deconvolution")


@st.composite
def layers(draw: st.DrawFn, index: int) -> str:
    kind = draw(st.sampled_from([*TYPES, "ReLU", "Pooling"]))
    lines = [f'  name: "l{index}"', f'  type: "{kind}"', f'  bottom: "b{index}"', f'  top: "b{index + 1}"']
    if kind in TYPES:
        for _ in range(draw(st.integers(0, 2))):
            lines += ["  param {", f"    lr_mult: {draw(NUMBERS)}", "  }"]
        fields = draw(st.lists(st.sampled_from(FIELDS), unique=True, min_size=1))
        lines += ["  convolution_param {", *(f"    {f}: {draw(st.sampled_from('1357'))}" for f in fields), "  }"]
    elif kind == "Pooling":
        lines += ["  pooling_param {", f"    kernel_size: {draw(st.sampled_from('235'))}", "  }"]
    return "\n".join(["layer {", *lines, "}"]) + "\n"


@st.composite
def nets(draw: st.DrawFn) -> str:
    count = draw(st.integers(1, 5))
    return 'layer {\n  name: "in"\n  type: "Input"\n  top: "b0"\n}\n' + "".join(
        draw(layers(index)) for index in range(count)
    )


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, str]:
    """A net, and the same with a field changed, deleted or put in; or with a layer that works in place."""
    net = draw(nets())
    lines = net.split("\n")
    scalars = [i for i, line in enumerate(lines) if line.startswith("    ")]
    kind = draw(st.sampled_from(["change", "delete", "insert", "layer"])) if scalars else "layer"
    if kind == "layer":
        at = draw(st.sampled_from([i for i, line in enumerate(lines) if line == "}"]))
        top = next(line for line in reversed(lines[:at]) if line.startswith("  top")).split('"')[1]
        new = ["layer {", '  name: "new"', '  type: "Dropout"', f'  bottom: "{top}"', f'  top: "{top}"', "}"]
        return net, "\n".join([*lines[: at + 1], *new, *lines[at + 1 :]])
    at = draw(st.sampled_from(scalars))
    name, _ = lines[at].strip().split(": ")
    if kind == "change":
        lines[at] = f"    {name}: {'11' if name != 'lr_mult' else '0'}"
    elif kind == "delete":
        del lines[at]
    else:
        new_field = "decay_mult: 7" if name == "lr_mult" else "engine: CAFFE"
        lines.insert(at + draw(st.integers(0, 1)), f"    {new_field}")
    return net, "\n".join(lines)


@settings(max_examples=60)
@given(edits())
def test_a_derived_patch_does_to_its_example_what_was_done(edit: tuple[str, str]) -> None:
    """Byte for byte; or there is no such patch, which is said."""
    before, after = edit
    text = derived_or_refused(before, after, "no patch was found")
    if text is None:
        return
    assert patched(patch_of("a.patch", text.encode()), before) == after


@settings(max_examples=30)
@given(nets(), st.sampled_from([("1", "9"), ("3", "9"), ("5", "9")]))
def test_an_edit_of_every_field_of_a_value_is_derived(net: str, values: tuple[str, str]) -> None:
    old, new = (f"kernel_size: {value}\n" for value in values)
    after = net.replace(old, new)
    if after == net:
        return
    text = derived_or_refused(net, after, "several kinds of edits")
    if text is None:
        return
    assert patched(patch_of("a.patch", text.encode()), net) == after


# ---------------------------------------------------------------- what cannot be derived


NET = 'layer {\n  name: "r"\n  type: "ReLU"\n  bottom: "a"\n  top: "b"\n}\n'


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (NET, NET + "# a comment\n", "have the same content"),
        (NET, NET + "}", "after:7:1"),
        (NET, 'layers { name: "r" type: RELU }', "of an old format"),
        (NET, 'item { id: 1 }', "neither a net nor a solver"),
        (NET, "", "neither a net nor a solver"),
        (
            NET + NET.replace('"r"', '"s"').replace('"b"', '"c"'),
            NET.replace('"a"', '"x"') + NET.replace('"r"', '"s"').replace('"b"', '"c"').replace("ReLU", "TanH"),
            "several kinds of edits",
        ),
        (NET, NET.replace("}", "a { " * 40 + "} " * 40 + "}"), "nested more than 30 deep"),
    ],
)  # fmt: skip
def test_refusals(before: str, after: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "before").write_text(before)
    (tmp_path / "after").write_text(after)
    done = caffefix("patch", "new", "before", "after", cwd=tmp_path)
    assert done.status == 2
    assert words in done.err.decode()
    assert not done.out


def test_an_edit_in_another_layout_is_derived_and_said() -> None:
    text = derived(NET, NET.replace('  top: "b"\n', '\ttop : "b"  relu_param{negative_slope:0.1}\n'))
    assert "in a layout of its own" in text
    assert "negative_slope: 0.1" in patched(patch_of("a.patch", text.encode()), NET)
