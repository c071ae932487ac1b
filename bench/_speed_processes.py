"""The speed table's section on whole processes: what a run costs that is started for one small net."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from _speed import ROOT, children, is_clean, nets, read, row, title

from caffefix.engine.repair import Request, repair

SCRIPT = "import re, sys\nfrom caffefix.cli import main\nsys.exit(main())\n"  # what an installer writes

_TO_FIX = """name: "net"
layer {
  name: "data"
  type: "Data"
  top: "data"
  top: "label"
  data_param { source: "train_lmdb" batch_size: 16 backend: LMDB }
  transform_param { crop_size: 227 scale: 0.00390625 }
}
"""
_BLOCK = """layer {{
  name: "conv{n}"
  type: "Convolution"
  bottom: "{below}"
  top: "conv{n}"
  convolution_param {{
    num_output: 32
    kernel_size: 3
    pad: 1
  }}
}}
layer {{
  name: "relu{n}"
  type: "ReLU"
  bottom: "conv{n}"
  top: "conv{n}"
}}
"""
_END = """layer {
  name: "fc"
  type: "InnerProduct"
  bottom: "conv20"
  top: "fc"
  inner_product_param { num_output: 10 }
}
layer {
  name: "loss"
  type: "SoftmaxWithLoss"
  bottom: "fc"
  bottom: "label"
  top: "loss"
}
"""
_FILLED = '    weight_filler {{ type: "msra" }}\n'


def net(*, filled: bool) -> str:
    """A train net of 6 KB, with fillers or without."""
    block = _BLOCK.replace("    pad: 1\n", "    pad: 1\n" + _FILLED) if filled else _BLOCK
    blocks = (block.format(n=n, below=f"conv{n - 1}" if n > 1 else "data") for n in range(1, 21))
    end = _END.replace("num_output: 10 }", 'num_output: 10 weight_filler { type: "xavier" } }') if filled else _END
    return _TO_FIX + "".join(blocks) + end


def processes() -> None:
    """Whole processes on a net of 6 KB."""
    title("process: × the time of python -c pass, whole processes, a net of 6 KB [nothing to fix 5, a fix 10]")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "caffefix").write_text(SCRIPT)
        deploy = next(path for path in nets(5_500, 6_600, 50) if is_clean(read(path).text))
        files = {
            "train net, nothing to fix": net(filled=True).encode(),
            f"{deploy.parent.name}/{deploy.name}": deploy.read_bytes(),
            "train net, 21 fillers added, all proofs": net(filled=False).encode(),
        }
        commands: dict[str, list[str]] = {"python -c pass": ["-c", "pass"]}
        for index, (label, data) in enumerate(files.items()):
            path = folder / f"{index}.prototxt"
            path.write_bytes(data)
            status = repair(read(path), Request()).status.value
            commands[f"{label} ({len(data) / 1e3:.1f} KB, {status})"] = [
                str(folder / "caffefix"),
                "--dry-run",
                path.name,
            ]
        commands["python -c 'import click'"] = ["-c", "import click"]
        commands["… text_format"] = ["-c", "from google.protobuf import text_format"]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        # Compiled modules as an installer leaves them, but in a place of our own.
        environment |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}

        def run(args: list[str]) -> float:
            before = children()
            subprocess.run([sys.executable, *args], cwd=folder, env=environment, capture_output=True, check=False)
            return children() - before

        times: dict[str, list[float]] = {label: [] for label in commands}
        for turn in range(16):
            for label, args in commands.items():
                taken = run(args)
                if turn:
                    times[label].append(taken)
        middle = {label: statistics.median(taken) for label, taken in times.items()}
        least = {label: min(taken) for label, taken in times.items()}
        row("", "ms", "medians", "minima")
        for label in commands:
            ratios = (middle[label] / middle["python -c pass"], least[label] / least["python -c pass"])
            row(label, f"{middle[label] * 1e3:.0f}", *(f"{ratio:.1f}×" for ratio in ratios))
