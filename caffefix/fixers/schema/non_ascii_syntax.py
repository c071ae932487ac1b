"""A character that only looks like prototxt's own keeps the file from being read.

## What it finds

Outside strings and comments: a byte-order mark, blanks that are no ASCII blanks (the no-break
space of web pages, the wide one of Chinese keyboards), full-width punctuation (`：` `｛` `｝` `，`
`；` …) and pairs of typographic quotes (`“ReLU”`), in a file that reads well once these are
written in ASCII.

## Why it matters

Caffe's parser takes ASCII only. It stops with "Interpreting non ascii codepoint" and the number
of a byte, and the character at fault often cannot be seen in an editor.

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

Never: no Caffe reads these. A file that cannot be read for another reason, too, is reported as
an error, and nothing in it is changed.

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
    """One finding for each line, and one fix for all."""
    found = subject.lookalikes
    if not found:
        return
    edits = tuple(Respell(one.start, one.end, one.meant) for one in found)
    fix = Fix(edits, Applicability.SAFE, "write ASCII")
    for line in _lines(subject.document.text, found):
        span = line[0].start, line[-1].end
        yield Finding(NAME, Severity.ERROR, _message(line), subject.document.root, "", fix, span)


def _lines(text: str, found: Sequence[Lookalike]) -> Iterator[list[Lookalike]]:
    """Those of each line together."""
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
    does = "takes it out" if not any(one.meant for one in line) else "writes ASCII"
    return f"{shown} outside a string: Caffe's parser takes ASCII only and does not read the file; {does}"
