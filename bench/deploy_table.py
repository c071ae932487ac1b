"""Deploy nets of a folder of real train nets: how many are made, and who loads them.

    python bench/deploy_table.py [FOLDER] [-v]

The folder defaults to the corpus beside the project. OpenCV is asked in this interpreter, real Caffe in
the one that CAFFEFIX_CAFFE_PYTHON names, if it does. Shapes that a net does not tell are given, as a
user would: 3 channels, 224 pixels. Nets are made with --strip: fillers cost time and change nothing.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from caffefix.caffe.net import Phase
from tests.conftest import SHARED
from tests.support.caffe_nets import Job, ask
from tests.support.deploying import is_train_net, make, opencv

_VARIABLE = re.compile(r"^\d+:\d+: |\(known types.*|\d+ vs\. \d+|'[^']*' owned .*")


def main() -> int:
    folders = [Path(arg) for arg in sys.argv[1:] if arg != "-v"]
    folder = folders[0] if folders else SHARED / "corpus"
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "manifest.tsv" and is_train_net(p)]
    nets = [make(path, strip=True) for path in files]
    made = [net for net in nets if not net.refused]
    given = sum(net.given for net in made)
    print(f"{len(files)} train nets; {len(made)} deploy nets, {given} of them with a shape given")
    table("not made", (net.refused for net in nets if net.refused))
    if "-v" in sys.argv:
        print("\n".join(f"    {net.message}" for net in nets if net.refused))
    said = opencv(made)
    failed = {name: reason for name, reason in said.items() if reason}
    print(f"OpenCV reads {len(made) - len(failed)} of {len(made)}")
    show(failed)
    python = os.environ.get("CAFFEFIX_CAFFE_PYTHON")
    if python:
        answers = ask(python, [Job(net.name, net.text, Phase.TEST) for net in made])
        failed = {answer.name: answer.abort for answer in answers if answer.abort}
        print(f"real Caffe loads {len(made) - len(failed)} of {len(made)}")
        show(failed)
    return 0


def table(title: str, reasons: Iterable[str]) -> None:
    for reason, count in Counter(reasons).most_common():
        print(f"  {count:>4}  {title}: {reason}")


def show(failed: dict[str, str]) -> None:
    table(
        "no", (re.sub(r"^\d+:\d+: |\(known types.*|\d+ vs\. \d+", "", reason)[:110] for reason in failed.values())
    )
    if "-v" in sys.argv:
        print("\n".join(f"    {name}: {reason[:200]}" for name, reason in failed.items()))


if __name__ == "__main__":
    sys.exit(main())
