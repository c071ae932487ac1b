"""Writes what caffefix says now as what golden cases are to say."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.support.deploy_goldens import deploy_cases, deployed, rescale_cases, rescaled
from tests.support.golden import caffefix, findings, refused, repaired


def write_findings(cases: Iterable[Path]) -> None:
    """Write what is found in each case, and what becomes of its file."""
    for case in cases:
        before = (case / "before.prototxt").read_bytes()
        after, found = repaired(case, before), findings(case, before)
        text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        _write(case / "after.prototxt", after if after != before else b"")
        _write(case / "findings.json", text.encode() if found else b"")


def _write(file: Path, data: bytes) -> None:
    """What says nothing is not there."""
    if data:
        file.write_bytes(data)
    else:
        file.unlink(missing_ok=True)


def write_refusals() -> None:
    """Write what is said of files that cannot be read."""
    for case in refused():
        (case / "message.txt").write_bytes(caffefix("before.prototxt", cwd=case).err)


def write_commands() -> None:
    """Write what ``deploy`` and ``rescale-input`` make of their cases."""
    for case in deploy_cases():
        done = deployed(case)
        (case / "deploy.prototxt").write_bytes(done.out)
        (case / "report.txt").write_bytes(done.err)
    for case in rescale_cases():
        with tempfile.TemporaryDirectory() as name:
            done = rescaled(case, Path(name))
            (case / "after.prototxt").write_bytes((Path(name) / "net.prototxt").read_bytes())
            (case / "report.txt").write_bytes(done.out + done.err)
