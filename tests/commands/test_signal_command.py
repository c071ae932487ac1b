"""``caffefix signal`` judges signals as the findings do, and shows what each repair would change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.golden import GOLDEN, caffefix

NAMES = ("exploding-signal", "vanishing-signal", "missing-input-scale")
CASES = sorted(
    str(case.relative_to(GOLDEN)) for name in NAMES for case in (GOLDEN / name).iterdir() if case.is_dir()
)


def found(net: Path) -> list[dict[str, Any]]:
    """The findings about signals; a note only says what would be if no weights were loaded."""
    report = json.loads(caffefix("--check", "--select", ",".join(NAMES), "--format", "json", net).out)
    return [f for f in report["files"][0]["findings"] if f["severity"] != "info"]


@pytest.mark.parametrize("case", CASES)
def test_what_is_found_is_not_called_ok(case: str) -> None:
    """Where a finding fires, the logits' row has its verdict, and the repaired net's column has none."""
    net = GOLDEN / case / "before.prototxt"
    findings = found(net)
    done = caffefix("signal", net)
    if not findings:
        return
    text = done.out.decode()
    assert any(f"too {size} to learn from" in text for size in ("large", "small"))
    for finding in findings:
        (loss,) = [line for line in text.splitlines() if line.split()[:1] == [finding["layer"]]]
        assert " of logits that are too " in loss
    if any(finding["applicability"] == "unsafe" for finding in findings):
        assert "with --unsafe" in text
        report = json.loads(caffefix("signal", net, "--format", "json").out)
        assert set(report["unsafe"]["fixed"]) & set(NAMES)
        assert all(0.1 <= logits["std"] <= 10 for logits in report["unsafe"]["logits"])


NET = """
layer {{ name: "data" type: "ImageData" top: "data" top: "label"
  transform_param {{ crop_size: 8 scale: {scale} }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param {{ num_output: 10 weight_filler {{ type: "gaussian" std: {std} }} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" }}
"""


@pytest.mark.parametrize("std", [1e-5, 1e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10])
@pytest.mark.parametrize("scale", [1, 0.00390625])
def test_the_bounds_are_the_findings_own(std: float, scale: float, tmp_path: Path) -> None:
    """From too small to too large, table and findings change at the same sizes."""
    net = tmp_path / "net.prototxt"
    net.write_text(NET.format(std=std, scale=scale))
    names = {finding["name"] for finding in found(net)}
    text = caffefix("signal", net).out.decode()
    assert ("too large to learn from" in text) == bool(names & {"exploding-signal", "missing-input-scale"})
    assert ("too small to learn from" in text) == ("vanishing-signal" in names)


def test_logits_of_80_are_not_ok(tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text(NET.format(std=0.045, scale=1))
    text = caffefix("signal", net).out.decode()
    (row,) = [line for line in text.splitlines() if line.split()[:1] == ["ip"]]
    assert 40 < float(row.split("std ")[1].split(":")[0]) < 120
    assert "ok" not in row


def test_unsafe_fixes_without_effect_on_signals_have_no_column(tmp_path: Path) -> None:
    """The unsafe fix of this net is about its test data."""
    case = GOLDEN / "mirror-in-test/example/before.prototxt"
    text = caffefix("signal", case).out.decode()
    assert "--unsafe" not in text
    assert json.loads(caffefix("signal", case, "--format", "json").out)["unsafe"] is None


def test_the_safe_column_says_what_is_still_wrong() -> None:
    """The safe fix of this net is about its format: only the unsafe one brings the logits back."""
    text = caffefix("signal", GOLDEN / "exploding-signal/v1/before.prototxt").out.decode()
    (head,) = [line for line in text.splitlines() if "verdict" in line]
    (row,) = [line for line in text.splitlines() if "to learn from" in line]
    assert head.index("after repair") < head.index("with --unsafe")
    assert (
        row[head.index("after repair") : head.index("with --unsafe")].strip().endswith(": too large to learn from")
    )
    assert "too" not in row[head.index("with --unsafe") :]
