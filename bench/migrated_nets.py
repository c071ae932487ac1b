"""What migrated nets compute, against what the originals compute, in real Caffe: a table.

    CAFFEFIX_CAFFE_PYTHON=… python bench/migrated_nets.py [EVERY]

Data layers are replaced by inputs with fixed noise. Every EVERY-th of the nets that Caffe upgrades.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.fixers.test_migrated_nets import NETS, compare


def main() -> None:
    names = NETS[:: int(sys.argv[1])] if len(sys.argv) > 1 else NETS
    with tempfile.TemporaryDirectory() as folder:
        outcomes = compare(os.environ["CAFFEFIX_CAFFE_PYTHON"], Path(folder), names)
    print(f"{len(names)} nets, in TRAIN and TEST; a reason is why the original gives no outputs")
    for outcome, count in outcomes.most_common():
        print(f"{count:5} {outcome}")


if __name__ == "__main__":
    main()
