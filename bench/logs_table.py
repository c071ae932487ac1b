"""What is read from a folder of training logs: a table, one log a line, and with -v each report.

    python bench/logs_table.py [-v] [FOLDER]

The folder defaults to the logs beside the project. Nothing is written.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from caffefix.commands.log import text as log_text
from caffefix.commands.log.results import LogReport
from caffefix.commands.log.work import report
from caffefix.evidence.logs import nets
from caffefix.zoo import logs
from caffefix.zoo.files import FileError

COLUMNS = ("log", "MB/s", "lines", "iterations", "loss", "lr", "batch", "classes", "passes", "Caffe", "wrong")


def main() -> int:
    shared = Path(os.environ.get("CAFFEFIX_SHARED", Path(__file__).resolve().parent.parent.parent / "shared"))
    arguments = [a for a in sys.argv[1:] if a != "-v"]
    folder = Path(arguments[0]) if arguments else shared / "logs"
    print("\t".join(COLUMNS))
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        begin = time.perf_counter()
        try:
            told = report(logs.read(str(path)))
        except FileError as error:
            print(error)
            continue
        speed = path.stat().st_size / 1e6 / (time.perf_counter() - begin)
        print("\t".join([str(path.relative_to(folder)), f"{speed:.0f}", *row(told)]))
        if "-v" in sys.argv:
            print(log_text.render(told))
    return 0


def row(told: LogReport) -> list[str]:
    log = told.log
    decoded = {d.name: str(d.value) for d in told.decoded}
    known = nets.dumped_net(nets.first_dump(log))
    classes = nets.num_output(known.layers) if known is not None else None
    batch = nets.batch_size(known.layers) if known is not None else None
    loss = log.loss
    return [
        str(log.lines),
        f"{loss.first_iteration}–{loss.last_iteration}" if loss else "",
        f"{loss.first:g} → {loss.last:g}" if loss else "",
        f"{log.rate.first:g} → {log.rate.last:g}" if log.rate else "",
        decoded.get("batch size", str(batch[1]) if batch else ""),
        decoded.get("classes", str(classes or "")),
        decoded.get("BatchNorm passes", ""),
        told.fork.label.partition(";")[0],
        ", ".join(d.observation.name for d in told.observations if d.observation.is_wrong),
    ]


if __name__ == "__main__":
    sys.exit(main())
