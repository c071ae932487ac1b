"""Deploy nets of real train nets, and what OpenCV and real Caffe say of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from caffefix.caffe.refusal import Refusal
from caffefix.caffe.roles import LEARNS, file_role
from caffefix.commands.deploy.work import DeployOptions, deploy
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source
from tests.conftest import ROOT

_MISSING = re.compile(r"whole shape of '(.*)' \(([\d?,]+|not known)\); give it with --input-shape (\S*)")
SIZES = (1, 3, 224, 224)  # for what a net does not tell
# For blobs of detectors, of which a net does not even tell that they are no images.
NAMED = {"im_info": (1, 3), "rois": (1, 5)}


@dataclass(frozen=True)
class Made:
    """What became of a train net.

    ``given`` tells whether an ``--input-shape`` was needed; ``refused`` is the name of a refusal.
    """

    name: str
    text: str
    given: bool
    refused: str = ""
    message: str = ""


def is_train_net(path: Path) -> bool:
    try:
        return file_role(parse(path.read_bytes().decode("latin-1"))) in LEARNS
    except PrototxtError:
        return False


def make(path: Path, *, strip: bool = False) -> Made:
    """The deploy net of a file, with a shape given only where the net does not tell it."""
    source = Source(path.name, path.read_bytes())
    given: dict[str, tuple[int, ...]] = {}
    while True:
        try:
            made = deploy(source, DeployOptions(given, strip=strip))
            return Made(str(path), made.data.decode("latin-1"), bool(given))
        except Refusal as refusal:
            missing = _MISSING.search(str(refusal))
            if missing is None or refusal.name != "unknown-input-shape":
                return Made(str(path), "", bool(given), refusal.name, str(refusal))
            dims = ["?"] * 4 if missing[2] == "not known" else missing[2].split(",")
            sizes = tuple(size if dim == "?" else int(dim) for dim, size in zip(dims, SIZES, strict=False))
            sizes = NAMED.get(missing[1], sizes)
            given[missing[1] if "=" in missing[3] else ""] = sizes


def opencv(nets: list[Made]) -> dict[str, str | None]:
    """Why OpenCV does not read a net, by name; None where it does."""
    lines = "".join(json.dumps({"name": net.name, "text": net.text}) + "\n" for net in nets)
    command = [sys.executable, str(ROOT / "tests" / "support" / "opencv_batch.py")]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    answers = map(json.loads, done.stdout.splitlines())
    return {answer["name"]: answer["error"] for answer in answers}
