"""The seeds before and after their repair, trained by real Caffe: a table.

    CAFFEFIX_CAFFE_PYTHON=caffe-env/bin/python python bench/prove_seeds.py [SEED...]

Images are reduced to what a CPU can train in minutes. Repairs are caffefix's own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.commands.test_prove_caffe import OPTIONS, seed
from tests.support.golden import ROOT


def main() -> int:
    names = sys.argv[1:] or list(OPTIONS)
    print(f"{'seed':<6}{'before':<18}{'loss':<22}{'dead':<6}{'after':<10}{'loss':<22}{'dead':<6}seconds")
    failed = False
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            failed |= not row(name, Path(folder))
    return 1 if failed else 0


def row(name: str, folder: Path) -> bool:
    """Print one seed's row; whether its repair is proved."""
    arguments = seed(name, folder)
    args = [sys.executable, "-m", "caffefix", "prove", *arguments, "--format", "json"]
    start = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(args, capture_output=True, text=True, env=environment, check=False)
    if not done.stdout:
        print(f"{name:<6}{done.stderr.strip()}")
        return False
    report = json.loads(done.stdout)
    cells = [f"{name:<6}"]
    for side, width in (("before", 18), ("after", 10)):
        run = report[side]
        tail = "nan" if run["tail"] is None else f"{run['tail']:.4g}"
        dead = len(run["dead_blobs"]) + len(run["dead_params"])
        start_loss = f"{run['losses'][0]:.4g}" if run["losses"] else "-"
        cells.append(f"{run['outcome']:<{width}}{start_loss + ' -> ' + tail:<22}{dead:<6}")
    print("".join(cells) + f"{time.monotonic() - start:.0f}", flush=True)
    return done.returncode == 0 and report["before"]["outcome"] != "learns"


if __name__ == "__main__":
    sys.exit(main())
