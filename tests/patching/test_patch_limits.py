"""Semantic patches that are hostile, or met by hostile files: each run ends, soon and in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.golden import caffefix
from tests.support.patches import HEAD, NET, RENAME, patch, patched, run, write


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


def test_a_net_too_big_for_a_shipped_patch_is_repaired_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caffefix.patching.matcher._STEPS", 3)
    layers = "".join(
        f'layers {{ name: "p{n}" type: POOLING bottom: "p" top: "p" pooling_param {{ global_pooling: true }} }}\n'
        for n in range(9)
    )
    done = caffefix("-", stdin=layers.encode())
    assert done.status == 0
    assert b'type: "Pooling"' in done.out
