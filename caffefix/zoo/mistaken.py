"""What a file is that was given for a prototxt and cannot be parsed as one."""

from __future__ import annotations

import os

_SUFFIXES = {
    ".caffemodel": "trained weights; give the .prototxt of their net",
    ".solverstate": "the state of a training that was interrupted; give the .prototxt of its net or solver",
    ".binaryproto": "a mean image; give the .prototxt of the net",
    ".h5": "an HDF5 file; give the .prototxt of the net",
    ".npy": "a NumPy array; give the .prototxt of the net",
    ".onnx": "an ONNX model; caffefix reads Caffe's .prototxt files",
    ".proto": "a protobuf schema, which describes prototxt files; --proto FILE judges nets by it",
    ".py": "Python source; run it if it writes a net, and give the .prototxt that it writes",
    ".ipynb": "a notebook; run it if it writes a net, and give the .prototxt that it writes",
    ".sh": "a shell script; give the .prototxt files that it names",
    ".log": "a log; caffefix log reports what a training log shows",
    ".md": "Markdown; give the .prototxt files",
    ".json": "JSON; give the .prototxt files",
    ".yaml": "YAML; give the .prototxt files",
    ".yml": "YAML; give the .prototxt files",
}
_STARTS = (
    (b"\x89HDF", "an HDF5 file; give the .prototxt of the net"),
    (b"PK\x03\x04", "a zip archive; unpack it first"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"<!doctype html", "a web page; download the file itself (GitHub: the button Raw)"),
    (b"<html", "a web page; download the file itself (GitHub: the button Raw)"),
    (b"version https://git-lfs", "a Git LFS pointer; git lfs pull gets the file"),
)


def mistaken(path: str, start: bytes) -> str:
    """What the file is and what to give instead, in a few words; empty if that is not clear.

    Args:
        path: the file.
        start: its first bytes; 512 are enough.
    """
    first = start.lstrip().lower()
    for mark, words in _STARTS:
        if first.startswith(mark.lower()):
            return words
    known = _SUFFIXES.get(os.path.splitext(path)[1].lower(), "")
    if known or start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return known
    # A stray control character in a text is a mistake at a place, which the parser names.
    odd = sum(byte < 32 and byte not in b"\t\n\r\f\v" for byte in start)
    return "a binary file; give the .prototxt of the net" if odd * 10 > len(start) else ""
