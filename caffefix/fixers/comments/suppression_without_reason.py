"""A comment silences a finding without saying why.

## What it finds

`# caffefix: ignore[NAME]` and `# caffefix: ignore-file[NAME]` with nothing after the bracket. The finding is
a note, shown with `--notes`; the suppression works regardless.

## Why it matters

Whoever reads the net next cannot tell a decision from a shortcut: whether the weights are loaded
from a file, or whether somebody wanted a quiet log.

## Example

```
-# caffefix: ignore[missing-weight-filler]
+# caffefix: ignore[missing-weight-filler] copied from bvlc_alexnet
 layer {
   name: "conv1"
   type: "Convolution"
```

## Fix safety

No fix: only the author knows the reason. `caffefix suppress` requires one.

## When it is a false alarm

Never; where reasons are not wanted, leave notes hidden.

## References

- `docs/suppression.md`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers.comments._suppressions import at

PASS = Pass.TIDY
NAME = "suppression-without-reason"


def find(subject: Subject) -> Iterator[Finding]:
    """One note for each directive that works and has no reason."""
    for suppression in subject.suppressions.all:
        if suppression.scope is not None and not suppression.reason:
            names = ", ".join(suppression.names)
            yield at(suppression, NAME, Severity.INFO, f"no reason is given for silencing {names} here; add one")
