"""The report on a terminal, as wide as that is."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.golden import GOLDEN, ROOT, caffefix

pty = pytest.importorskip("pty", reason="terminals are Unix's")
SEED = GOLDEN / "seeds/s000_train/before.prototxt"


def on_terminal(columns: int, *args: str, cwd: Path) -> str:
    """What a run writes to a terminal of so many columns, without colours."""
    import fcntl
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "caffefix", *args], cwd=cwd, env=environment, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            read = os.read(ours, 1 << 16)
        except OSError:  # Linux says so when the other end is closed
            break
        if not read:
            break
        written += read
    os.close(ours)
    process.wait()
    return written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_lines_fit_and_words_are_whole(columns: int, tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_bytes(SEED.read_bytes())
    written = on_terminal(columns, "--check", "--notes", "net.prototxt", cwd=tmp_path)
    messages = [line for line in written.splitlines() if line.startswith(" " * 10)]
    assert len(messages) > 5
    assert all(len(line) <= columns for line in messages)
    piped = caffefix("--check", "--notes", "net.prototxt", cwd=tmp_path).out.decode()
    assert written.split() == piped.split()


def test_a_report_is_short() -> None:
    """Forty lines before the diff of a net of 24 layers, as a reader has patience for."""
    done = caffefix("--dry-run", SEED)
    assert len(done.err.splitlines()) <= 15
    assert done.out.startswith(b"--- a/")


def test_groups_are_by_severity_then_place(tmp_path: Path) -> None:
    done = caffefix("--check", "--notes", SEED).out.decode()
    groups = re.findall(r"^  (error|warning|note) +([a-z0-9-]+) \[", done, re.M)
    ranks = [("error", "warning", "note").index(severity) for severity, _ in groups]
    assert ranks == sorted(ranks)
    assert len(groups) == len(set(groups))


def test_many_layers_are_counted_not_listed(tmp_path: Path) -> None:
    fc = (
        'layer { name: "fc%d" type: "InnerProduct" bottom: "fc%d" top: "fc%d" '
        "inner_product_param { num_output: 2 } }"
    )
    data = 'layer { name: "data" type: "Data" top: "fc0" top: "label" data_param { source: "a" batch_size: 1 } }'
    loss = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc30" bottom: "label" }'
    layers = [data, *(fc % (n, n - 1, n) for n in range(1, 31)), loss, ""]
    (tmp_path / "net.prototxt").write_text("\n".join(layers))
    done = caffefix("--check", "net.prototxt", cwd=tmp_path).out.decode()
    places = "missing-weight-filler [safe] fc1, fc2, fc3 … fc30 (30 layers), lines 2, 3, 4, 5, 6, 7, 8 … 31 no"
    assert places in " ".join(done.split())
