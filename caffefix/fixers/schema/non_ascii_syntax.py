"""A character that only looks like prototxt syntax makes the file unreadable.

## What it finds

Outside strings and comments: a byte-order mark, non-ASCII blanks (the no-break space of web pages, the wide
space of Chinese keyboards), full-width punctuation (`：` `｛` `｝` `，` `；` …) and pairs of typographic quotes
(`“ReLU”`), in a file that can be read once these are written in ASCII.

## Why it matters

Caffe's parser accepts only ASCII. It stops with "Interpreting non ascii codepoint" and the number of a
byte, and the character at fault is often invisible in an editor.

## Example

```
 layer {
-  name： “relu1”
+  name: "relu1"
   type: "ReLU"
 }
```

## Fix safety

Safe: the file could not be read before. Strings and comments keep every byte, and the meaning of
the result is compared with what the characters stand for.

## When it is a false alarm

Never: no Caffe reads these characters. A file that also cannot be read for another reason is reported as an
error and left unchanged.

## References

- protobuf, `src/google/protobuf/io/tokenizer.cc`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.syntax.edits import Respell
from caffefix.syntax.lookalikes import Lookalike

PASS = Pass.READ
NAME = "non-ascii-syntax"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each line, and one fix for all lines."""
    found = subject.lookalikes
    if not found:
        return
    edits = tuple(Respell(one.start, one.end, one.meant) for one in found)
    fix = Fix(edits, Applicability.SAFE, "write ASCII")
    for line in _lines(subject.document.text, found):
        span = line[0].start, line[-1].end
        yield Finding(NAME, Severity.ERROR, _message(line), subject.document.root, layer="", fix=fix, span=span)


def _lines(text: str, found: Sequence[Lookalike]) -> Iterator[list[Lookalike]]:
    """The lookalikes, grouped by line."""
    line: list[Lookalike] = []
    for one in found:
        if line and "\n" in text[line[-1].end : one.start]:
            yield line
            line = []
        line.append(one)
    yield line


def _message(line: list[Lookalike]) -> str:
    names = list(dict.fromkeys(one.shown for one in line))
    shown = ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
    does = "deletes it" if not any(one.meant for one in line) else "writes ASCII"
    return f"{shown} outside a string: Caffe's parser accepts only ASCII and does not read the file; {does}"
