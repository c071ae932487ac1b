"""Layouts and values that once went wrong; each was found by trying to break the tool."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import interruptible
from tests.support.golden import ROOT
from tests.support.golden import caffefix_process as caffefix


def fixed(text: str, *options: str) -> str:
    done = caffefix(*options, "-", stdin=text.encode())
    assert done.status == 0, done.err
    return done.out.decode()


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_param_blocks_keep_their_order_when_the_shorter_list_stands_behind() -> None:
    out = squeezed(fixed('layers { name: "a" type: INNER_PRODUCT weight_decay: 1 weight_decay: 0 blobs_lr: 5 }\n'))
    assert "param { lr_mult: 5 decay_mult: 1 } param { decay_mult: 0 }" in out
    out = squeezed(fixed('layers {\n  type: INNER_PRODUCT\n  param: "x"\n  param: "y"\n  blobs_lr: 5\n}\n'))
    assert 'param { lr_mult: 5 name: "x" } param { name: "y" }' in out


def test_fields_that_share_lines_are_gathered() -> None:
    out = squeezed(
        fixed("layers {\n  type: INNER_PRODUCT\n  blobs_lr: 1 weight_decay: 1\n  blobs_lr: 2 weight_decay: 0\n}\n")
    )
    assert "param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }" in out
    out = fixed(
        "layers {\n  type: INNER_PRODUCT\n  blobs_lr: 1 blobs_lr: 2\n  weight_decay: 1 weight_decay: 0\n}\n"
    )
    assert "param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }" in squeezed(out)
    assert not any(line and not line.strip() for line in out.split("\n"))


@pytest.mark.parametrize(
    "text",
    [
        "layers { type: RELU type: TANH }",
        "layers { type: [RELU] }",
        'layers { type: RELU blobs_lr: "1" }',
        "layers { type: RELU param: foo }",
        "layers { type: CONVOLUTION blobs_lr { } }",
        "layer { blobs_lr: 1 param { lr_mult: 1 } }",
        "layers {\n  type: RELU\n  blobs_lr: [1, # w\n    2] # b\n}",
    ],
)
def test_what_caffe_refuses_is_reported_and_left(text: str) -> None:
    done = caffefix("--exit-zero", "-", stdin=text.encode())
    assert (done.status, done.out.decode()) == (0, text)
    assert b"the net is not migrated" in b" ".join(done.err.split())


def test_v2_under_the_old_keyword() -> None:
    out = fixed(
        'layers {\n  name: "s"\n  type: "Scale"\n  bottom: "x"\n  top: "x"\n  scale_param { bias_term: true }\n}\n'
    )
    assert out.startswith("layer {\n")


LIVE_BRANCH = """
layer { name: "d" type: "Data" top: "data" top: "label" top: "label2" }
layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "a" inner_product_param { num_output: 3 } }
layer { name: "ip2" type: "InnerProduct" bottom: "a" top: "b" inner_product_param { num_output: 3 } }
layer { name: "lA" type: "SoftmaxWithLoss" bottom: "b" bottom: "label" }
layer { name: "theta" type: "InnerProduct" bottom: "data" top: "t" inner_product_param { num_output: 3
  weight_filler { type: "constant" value: 0 } bias_filler { type: "constant" value: 1 } } }
layer { name: "lB" type: "EuclideanLoss" bottom: "t" bottom: "label2" }
"""


def test_a_zero_filler_in_a_branch_that_learns_is_left() -> None:
    out = fixed(LIVE_BRANCH)
    assert out.count("xavier") == 2
    assert 'weight_filler { type: "constant" value: 0 }' in out


def test_a_layer_that_shares_filled_weights_is_left() -> None:
    text = LIVE_BRANCH.replace('name: "theta"', 'name: "theta" param { name: "w" }')
    text = text.replace('type: "constant" value: 0', 'type: "msra"')
    text += """layer { name: "twin" type: "InnerProduct" bottom: "data" top: "t2" param { name: "w" }
  inner_product_param { num_output: 3 } }
layer { name: "lC" type: "EuclideanLoss" bottom: "t2" bottom: "label2" }
"""
    assert fixed(text).count("xavier") == 2


@pytest.mark.parametrize(
    "text",
    [
        'layer { name: "b" type: "BatchNorm" param: "x" }',
        'layer { name: "d" type: "Data" top: "x" transform_param { scale: 0.01 mean_value: nan } }',
        'layer { name: "d" type: "Data" top: "x" transform_param { scale: 0.01 mean_value: 1e999 } }',
        "layers { type: 0x" + "f" * 400 + " }",
        'layer { name: "d" type: "Data" top: "x" include { min_level: 0x' + "f" * 400 + " } }",
    ],
)
def test_odd_values_do_not_crash(text: str) -> None:
    done = caffefix("--unsafe", "--notes", "-", stdin=text.encode())
    assert done.status == 0, done.err
    assert b"internal error" not in done.err
    assert done.out.decode() == text


def test_a_deleted_field_leaves_its_comment_on_a_shared_line() -> None:
    text = "layers {\n  type: DATA\n  data_param { scale: 0.5 }\n"
    text += "  transform_param { scale: 3 # old\n    mirror: true }\n}\n"
    out = fixed(text, "--select", "legacy-*")
    assert "# old" in out
    assert "scale: 3" not in out


def test_quoted_text_stays_on_one_line_and_is_decoded() -> None:
    text = 'layers { name: "\xe4\xb8\xad\x1b[31m" type: BN }'
    done = caffefix("--check", "-", stdin=text.encode("latin-1"))
    assert "中\\x1b[31m, line 1" in done.out.decode()
    assert b"\x1b" not in done.out


def test_a_diff_names_what_a_link_points_to(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text("layers { type: RELU }\n")
    (tmp_path / "a_link.prototxt").symlink_to("net.prototxt")
    (tmp_path / "..odd.prototxt").write_text("layers { type: RELU }\n")
    for name in ("a_link.prototxt", "..odd.prototxt"):
        shown = caffefix("--dry-run", name, cwd=tmp_path)
        subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=shown.out, check=True)
    assert (tmp_path / "net.prototxt").read_text() == 'layer { type: "ReLU" }\n'
    assert (tmp_path / "..odd.prototxt").read_text() == 'layer { type: "ReLU" }\n'


def test_nobody_listening_does_not_stop_the_work(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"n{number:03}.prototxt").write_text("layers { type: RELU }\n")
    command = f"'{sys.executable}' -m caffefix . | head -n 1"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert all(p.read_text().startswith("layer {") for p in tmp_path.glob("*.prototxt"))


def test_empty_names_select_nothing(tmp_path: Path) -> None:
    for names in ("", ","):
        done = caffefix("--select", names, "-", stdin=b"layers { type: RELU }")
        assert (done.status, done.out) == (2, b"")
        assert b"Usage: caffefix [OPTIONS] PATH..." in done.err


def test_a_folder_that_cannot_be_searched_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0)
    try:
        if os.access(tmp_path / "closed", os.R_OK):
            pytest.skip("this user may read everything")
        assert caffefix("--check", tmp_path).status == 2
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_an_interrupted_run_leaves_each_file_old_or_new(tmp_path: Path) -> None:
    old, new = "layers { type: RELU }\n", 'layer { type: "ReLU" }\n'
    for number in range(2000):
        (tmp_path / f"n{number:04}.prototxt").write_text(old)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "caffefix", "."]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=interruptible,
    ) as run:
        assert run.stdout is not None
        run.stdout.readline()  # the first file is done
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert b"interrupted" in err
    texts = [path.read_text() for path in sorted(tmp_path.glob("*.prototxt"))]
    assert set(texts) == {old, new}
    assert len(texts) == 2000
