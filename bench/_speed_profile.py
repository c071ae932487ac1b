"""The speed table's section on where the time goes, of a check and of a start."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from _speed import ROOT, RUNS, children, cpu, is_clean, nets, read, row, title
from _speed_processes import SCRIPT, net

from caffefix._startup.garbage import Uncollected
from caffefix.engine import proof
from caffefix.engine.repair import Request
from caffefix.engine.run_fixers import run_fixer
from caffefix.findings import Subject
from caffefix.fixers import Fixer
from caffefix.syntax.parse import parse

_SHOWN = 8


def profiles() -> None:
    """What a check does with its time, and what a process does before it has looked at its file."""
    title("profile: shares of a check's time, nets of 50 to 56 KB with nothing to fix")
    clean = [path for path in nets(50_000, 56_000, 8) if is_clean(read(path).text)]
    for path in clean[:3]:
        _check(f"{path.parent.name}/{path.name}", read(path).text)
    title("profile: CPU time of a process in ms, and the modules that it imports")
    row("", "ms", "modules")
    with tempfile.TemporaryDirectory() as name:
        for label, text in (("nothing to fix", net(filled=True)), ("21 fillers, all proofs", net(filled=False))):
            _start(f"train net of 6 KB, {label}", text, Path(name))


def _check(label: str, text: str) -> None:
    runs = [_steps(text) for _ in range(RUNS)]
    middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    total = sum(middle.values())
    row(label[-50:], f"{total * 1e3:.1f} ms")
    ranked = sorted(middle, key=lambda name: -middle[name])
    for name in ranked[:_SHOWN]:
        row(f"  {name}", f"{middle[name] / total:.0%}")
    row(f"  {len(ranked) - _SHOWN} others", f"{sum(middle[name] for name in ranked[_SHOWN:]) / total:.0%}")


def _steps(text: str) -> dict[str, float]:
    """CPU seconds of each step; what several fixers need is paid for by the first of them."""
    with Uncollected():
        documents = []
        taken = {"parsing": cpu(lambda: documents.append(parse(text)))}
        subject = Subject(documents[0])
        steps: list[tuple[str, Callable[[], object]]] = [
            ("views of layers", lambda: subject.all_nets[0].layers),
            ("type check for all forks, role", lambda: subject.verdict),
            ("signs", lambda: subject.signs),
            ("proof that the tree prints the text", lambda: proof.prints(subject.document)),
            *((fixer.name, _looking(fixer, subject)) for fixer in Request().selection.fixers()),
        ]
        return taken | {name: cpu(work) for name, work in steps}


def _looking(fixer: Fixer, subject: Subject) -> Callable[[], object]:
    return lambda: run_fixer(fixer, subject, (fixer,), ())


def _start(label: str, text: str, folder: Path) -> None:
    script, file = folder / "caffefix", folder / "net.prototxt"
    script.write_text(SCRIPT)
    file.write_text(text)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}

    def run(*args: str) -> tuple[float, str]:
        before = children()
        done = subprocess.run(
            [sys.executable, *args], env=environment, capture_output=True, text=True, check=False
        )
        return children() - before, done.stderr

    command = (str(script), "--dry-run", str(file))
    run(*command)
    own = {module for module, _ in _imports(run("-X", "importtime", "-c", "pass")[1])}
    groups: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for module, seconds in _imports(run("-X", "importtime", *command)[1]):
        group = _group(module) if module not in own else "Python's own start"
        modules[group] += 1
        groups[group] += seconds
    total = statistics.median(run(*command)[0] for _ in range(RUNS))
    bare = statistics.median(run("-c", "pass")[0] for _ in range(RUNS))
    row(label, f"{total * 1e3:.0f}", str(sum(modules.values())))
    row("  Python's own start (python -c pass)", f"{bare * 1e3:.0f}", str(modules.pop("Python's own start")))
    for group in sorted(modules, key=lambda name: -groups[name]):
        row(f"  importing {group}", f"{groups[group] * 1e3:.0f}", str(modules[group]))
    rest = total - bare - sum(groups[name] for name in modules)
    row("  the rest: fixers' own modules, and the work", f"{rest * 1e3:.0f}")


def _imports(trace: str) -> Iterator[tuple[str, float]]:
    """Modules and the seconds that they take by themselves, of ``python -X importtime``."""
    for line in trace.splitlines():
        if line.startswith("import time:") and "|" in line and "cumulative" not in line:
            own, _, module = line.removeprefix("import time:").split("|")
            yield module.strip(), int(own) / 1e6


def _group(module: str) -> str:
    top, _, rest = module.partition(".")
    if top == "google":
        return "protobuf"
    if top != "caffefix":
        return "the standard library"
    return f"caffefix.{rest.partition('.')[0]}" if rest.partition(".")[0] in ("caffe", "syntax") else "caffefix"
