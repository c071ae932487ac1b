"""Mean files: found as Caffe finds them, or beside the net."""

from __future__ import annotations

import os
from collections.abc import Iterable

from caffefix.commands.rescale_input.work import MeanFile
from caffefix.zoo.files import MEAN, FileError, put, read


def locate(name: str, net: str) -> str:
    """The path of a file that a net names: from the working folder, as Caffe takes it, or from the net's.

    Args:
        name: as the net has it, one character a byte.
        net: path of the net.

    Raises:
        FileError: it is in neither place.
    """
    path = _path(name)
    for folder in ("", os.path.dirname(net)):
        found = os.path.join(folder, path)
        if os.path.isfile(found):
            return found
    raise FileError(f"{net}: the mean file {path} is not there; run this where you run Caffe")


def save(net: str, files: Iterable[MeanFile]) -> None:
    """Write new mean files beside the old ones; a file that is there already is left as it is.

    Raises:
        FileError: a file of that name holds something else, or it may not be written.
    """
    for file in files:
        path = os.path.join(os.path.dirname(locate(file.old, net)), os.path.basename(_path(file.new)))
        if not os.path.lexists(path):
            put(path, file.data)
        elif read(path, MEAN) != file.data:
            raise FileError(f"{path}: not written: there is another file of that name; move it away")


def _path(name: str) -> str:
    return name.encode("latin-1").decode("utf-8", "surrogateescape")
