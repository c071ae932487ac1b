"""What each trick for a fast start gains, as ratios taken in one run: with it, and with the library instead.

    python bench/startup_tricks.py [--rounds 41]

Whole processes check a net in which nothing is wrong. CPU times, in turns; medians.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NET = """name: "net"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 32 dim: 32 } } }
layer {
  name: "conv1"
  type: "Convolution"
  bottom: "data"
  top: "conv1"
  convolution_param { num_output: 32 kernel_size: 3 }
}
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "prob" type: "Softmax" bottom: "conv1" top: "prob" }
"""
_RUN = "from caffefix.cli import main; main(['--check', 'net.prototxt'])"
_RECORDS = """
import dataclasses, functools, sys, types
import caffefix._startup
stand_in = types.ModuleType("caffefix._startup.records")
for name in ("dataclass", "field", "fields", "replace"):
    setattr(stand_in, name, getattr(dataclasses, name))
stand_in.cached_property = functools.cached_property
sys.modules[stand_in.__name__] = stand_in
"""
_PATTERNS = """
import re
import caffefix._startup.patterns as patterns
patterns.pattern = re.compile
"""
_GARBAGE = """
import caffefix._startup.garbage as garbage
class Collected:
    def __enter__(self): pass
    def __exit__(self, *_): pass
garbage.Uncollected = Collected
"""
# What stands for the library, and what runs first to have the library instead.
TRICKS = {
    "records: dataclasses without their compiler": _RECORDS,
    "patterns: regular expressions compiled when used": _PATTERNS,
    "garbage: no collector during a parse": _GARBAGE,
    "resources: no pathlib": "import pathlib",
    "TYPE_CHECKING = False: no typing": "import typing",
    "option tables: no click": "import os; os.environ['CAFFEFIX_DOCS_URL'] = ''",
}


def cpu(code: str, folder: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAFFEFIX_")}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=41)
    rounds = parser.parse_args().rounds
    subprocess.run([sys.executable, "-m", "compileall", "-q", ROOT / "caffefix"], check=True)
    codes = {"": _RUN} | {name: f"{first}\n{_RUN}" for name, first in TRICKS.items()}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "net.prototxt").write_text(NET)
        times: dict[str, list[float]] = {name: [] for name in codes}
        for _ in range(rounds):
            for name, code in codes.items():
                times[name].append(cpu(code, folder))
    with_all = statistics.median(times[""])
    print(f"{1000 * with_all:.0f} ms of CPU with all of them; without one:")
    for name in TRICKS:
        print(f"  {statistics.median(times[name]) / with_all:.2f} times that  {name}")


if __name__ == "__main__":
    main()
