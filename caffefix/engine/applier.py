"""Applies a unified diff to bytes. It shares no code with the module that prints diffs, which it checks."""

from __future__ import annotations

from caffefix._startup.patterns import pattern

_HUNK = pattern(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NO_NEWLINE = b"\\ No newline at end of file"


class ApplyError(Exception):
    """The diff does not fit the file."""


def apply_diff(old: bytes, diff: bytes) -> bytes:
    """The result of applying a diff for a single file to ``old``.

    Raises:
        ApplyError: a context or removed line differs from the file.
    """
    source = _split(old)
    script = _split(diff)
    result: list[bytes] = []
    at = 0
    cursor = 0
    while cursor < len(script) and not script[cursor].startswith(b"@@"):
        cursor += 1
    while cursor < len(script):
        header = _HUNK.match(script[cursor])
        if header is None:
            raise ApplyError(f"line {cursor + 1} of the diff is not a hunk header")
        first, count = int(header[1]), int(header[2] or b"1")
        begin = first - 1 if count else first
        if begin < at:
            raise ApplyError("hunks are not in order")
        result += source[at:begin]
        at = begin
        cursor += 1
        while cursor < len(script) and not script[cursor].startswith(b"@@"):
            line = script[cursor]
            cursor += 1
            content = line[1:]
            if cursor < len(script) and script[cursor].startswith(_NO_NEWLINE):
                content = content[:-1]
                cursor += 1
            if line[:1] == b"+":
                result.append(content)
                continue
            if at >= len(source) or source[at] != content:
                raise ApplyError(f"line {at + 1} of the file differs from the diff")
            if line[:1] == b" ":
                result.append(content)
            elif line[:1] != b"-":
                raise ApplyError(f"line {cursor} of the diff begins with none of ' ', '+', '-'")
            at += 1
    return b"".join(result + source[at:])


def _split(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    tail = lines.pop()
    return [line + b"\n" for line in lines] + ([tail] if tail else [])
