"""Mean files: found as Caffe finds them, or in the net's folder."""

from __future__ import annotations

import os
from collections.abc import Iterable

from caffefix.commands.rescale_input.work import MeanFile
from caffefix.zoo.files import MEAN, FileError, put, read


def locate(name: str, net: str) -> str:
    """The path of a file that a net names: from the working folder, as in Caffe, or from the net's folder.

    Args:
        name: as the net has it, one character per byte.
        net: path of the net.

    Raises:
        FileError: the file is in neither place.
    """
    path = _path(name)
    for folder in ("", os.path.dirname(net)):
        found = os.path.join(folder, path)
        if os.path.isfile(found):
            return found
    raise FileError(f"{net}: the mean file {path} does not exist; run this where you run Caffe")


def save(net: str, files: Iterable[MeanFile]) -> None:
    """Write new mean files next to the old ones; a file that already exists is left unchanged.

    Raises:
        FileError: a file of that name has a different content, or it cannot be written.
    """
    for file in files:
        path = os.path.join(os.path.dirname(locate(file.old, net)), os.path.basename(_path(file.new)))
        if not os.path.lexists(path):
            put(path, file.data)
        elif read(path, MEAN) != file.data:
            raise FileError(f"{path}: not written: there is a different file of that name; move it away")


def _path(name: str) -> str:
    return name.encode("latin-1").decode("utf-8", "surrogateescape")
