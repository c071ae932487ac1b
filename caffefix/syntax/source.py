"""A file's bytes as text of one character per byte, and places in it."""

from __future__ import annotations

from bisect import bisect_right

from caffefix._startup.patterns import pattern
from caffefix._startup.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from array import array


@dataclass(frozen=True, slots=True)
class Position:
    """A place: line and column from 1; the column counts characters, not bytes."""

    line: int
    column: int


class Source:
    """Text under a name.

    Attributes:
        path: what messages call the file.
        text: its content, Latin-1: offsets are byte offsets.
    """

    __slots__ = ("_columns", "_line_starts", "path", "text")

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.text = data.decode("latin-1")
        self._line_starts: array[int] | None = None
        self._columns: dict[int, array[int] | None] = {}  # of long lines, by where they start

    @property
    def data(self) -> bytes:
        return self.text.encode("latin-1")

    def position(self, offset: int) -> Position:
        if self._line_starts is None:
            from array import array  # only where there is something to report

            starts = array("Q", (0,))
            at = self.text.find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.text.find("\n", at + 1)
            self._line_starts = starts
        line = bisect_right(self._line_starts, offset)
        start = self._line_starts[line - 1]
        if offset - start <= _STRIDE:
            return Position(line, len(display(self.text[start:offset])) + 1)
        return Position(line, self._column(start, offset))

    def _column(self, start: int, offset: int) -> int:
        """A column in a long line, without reading everything before it again for each place in the line."""
        if start not in self._columns:
            self._columns[start] = self._strides(start)
        counts = self._columns[start]
        if counts is None:
            return offset - start + 1
        stride, rest = divmod(offset - start, _STRIDE)
        return counts[stride] + _characters(self.text[offset - rest : offset]) + 1

    def _strides(self, start: int) -> array[int] | None:
        """How many characters are before each stretch of a line; None if each is a byte."""
        end = self.text.find("\n", start)
        line = self.text[start : len(self.text) if end < 0 else end]
        if len(display(line)) == len(line):
            return None
        from array import array

        counts = array("Q", (0,))
        for at in range(0, len(line), _STRIDE):
            counts.append(counts[-1] + _characters(line[at : at + _STRIDE]))
        return counts

    def line(self, number: int) -> str:
        """The line of that number, without its end, decoded for people."""
        assert self._line_starts is not None
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return display(self.text[start : len(self.text) if end < 0 else end].rstrip("\r"))


_STRIDE = 1 << 12  # bytes of a long line
_QUOTED = 120  # characters of a name in a message
_BYTES = pattern("[\x80-\xff]+")
_FURTHER = pattern("[\x80-\xbf]")  # the further bytes of a character in UTF-8
# Characters of Unicode's category Cf: they change the direction of what follows, or are invisible.
_FORMAT = (
    "\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
_CONTROL = pattern(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_FORMAT}]")
_UNSEEN = pattern(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029{_FORMAT}]|\r(?!\n)")


def _characters(text: str) -> int:
    """How many characters begin in a stretch of UTF-8."""
    return len(text) if text.isascii() else len(_FURTHER.sub("", text))


def one_line(text: str) -> str:
    """A message that may quote the file: decoded, on one line, invisible characters as escapes."""
    decoded = _BYTES.sub(lambda match: display(match.group()), text)
    return visible(decoded)


def visible(text: str) -> str:
    """Text, such as a file name, on one line, invisible characters as escapes: a terminal would obey them."""
    return _CONTROL.sub(_escape, text)


def seen(diff: bytes) -> str:
    """A diff for people, invisible characters as escapes: programs can no longer apply it."""
    return _UNSEEN.sub(_escape, diff.decode("utf-8", "replace"))


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def short(text: str) -> str:
    """A name or value of a file as a message quotes it: one may be a megabyte long."""
    return text if len(text) <= _QUOTED else f"{text[: _QUOTED - 20]}...{text[-17:]}"


def display(text: str) -> str:
    """Bytes-as-text for people: UTF-8 where it is UTF-8, Latin-1 letters where it is not."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return text
