"""A suppression comment silences nothing, or is not understood.

## What it finds

Names in `# caffefix: ignore[NAME] reason` that silence nothing at that place: the net was repaired, the field
was removed, the comment was copied along. Also comments that begin like a suppression but are not one (no
brackets, no field to belong to, `ignore-file` after the first field), and names that no finding has, with the
nearest one.

## Why it matters

A suppression that is no longer needed silences the next mistake of its kind in the same place. One
that is misspelt silences nothing, while its author believes that it does.

## Example

```
-# caffefix: ignore[missing-weight-filler] loaded by net surgery
 layer {
   name: "relu1"
   type: "ReLU"
   bottom: "conv1"
   top: "conv1"
 }
```

## Fix safety

Safe: Caffe ignores comments. The name that silences nothing is removed, and with the last one the comment;
other words in it stay. A name is judged only if its finding was checked for: where `--select` or `--ignore`
leave the finding out, also in the configuration, its suppressions stay. They also stay if they silence
something without `--no-from-scratch`, `--dialect` or `--target`. The file is judged as the other fixes leave
it, because one of them can end what a suppression silenced. Comments that are not understood and names that
no finding has are reported, never deleted.

## When it is a false alarm

When the finding appears only in the presence of other files, and the file is checked without them. To keep a
suppression that silences nothing today, also name this finding:
`ignore[missing-weight-filler, unused-suppression]`.

## References

- `docs/suppression.md`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Applicability, Finding, Fix, Judged, Pass, Severity, Subject
from caffefix.fixers.comments._suppressions import at
from caffefix.syntax.edits import Reword
from caffefix.syntax.source import short
from caffefix.syntax.suppressions import Suppression, is_glob, means

PASS = Pass.TIDY
NAME = "unused-suppression"

# The nearest name is searched for this many unknown names of a file, each of at most this many characters.
_GUESSES = 20
_LONGEST = 60


def find(subject: Subject) -> Iterator[Finding]:
    """Findings at directives: no effect, an unknown name, names that silence nothing.

    Directives in one comment share one fix.
    """
    if subject.judged is None or not subject.suppressions.all:
        return
    used = _used(subject, subject.judged)
    theirs = dict.fromkeys(subject.judged.names, Pass.REPAIR)  # patches that the user gave are among them
    known = {**theirs, **dict(subject.judged.known)}
    # Where no fork accepts the file, fixers do not report everything.
    unread = subject.verdict is not None and not subject.verdict.accepting
    unused: dict[int, dict[Suppression, list[str]]] = {}
    words = _Words(known, subject.judged)
    for suppression in subject.suppressions.all:
        if suppression.trouble:
            yield at(suppression, NAME, Severity.WARNING, f"this suppression has no effect: {suppression.trouble}")
        unknown = next((name for name in suppression.names if not words.meant(name)), None)
        if unknown is not None:
            yield at(suppression, NAME, Severity.WARNING, words.unknown(unknown))
        if unread:
            continue
        idle = (n for n in suppression.names if words.meant(n) and (suppression.start, n) not in used)
        names = [name for name in idle if words.is_judged(name)]
        if names:
            unused.setdefault(suppression.comment.start, {})[suppression] = names
    for directives in unused.values():
        yield from _unused(directives)


def _used(subject: Subject, judged: Judged) -> set[tuple[int, str]]:
    """Directives, by position, with those of their names that silence something."""
    findings = ((finding.name, finding.node) for finding in judged.suppressed)
    return {(suppression.start, name) for suppression, name in subject.suppressions.silencing(findings)}


class _Words:
    """What the names in directives mean; each is resolved once, however often it is written."""

    def __init__(self, known: dict[str, Pass], judged: Judged) -> None:
        self._known = known
        self._judged = judged
        self._meant: dict[str, tuple[str, ...]] = {}
        self._guesses = _GUESSES

    def meant(self, pattern: str) -> tuple[str, ...]:
        """The findings that a name or glob means."""
        found = self._meant.get(pattern)
        if found is None:
            plain = (pattern,) if pattern in self._known else ()
            globbed = tuple(name for name in self._known if means(pattern, name)) if is_glob(pattern) else plain
            found = self._meant[pattern] = globbed
        return found

    def is_judged(self, pattern: str) -> bool:
        """Whether all findings that a name or glob means were checked for."""
        meant = self.meant(pattern)
        return all(name in self._judged.names and self._known[name] is not Pass.TIDY for name in meant)

    def unknown(self, name: str) -> str:
        near: list[str] = []
        if self._guesses > 0 and len(name) <= _LONGEST:
            from difflib import get_close_matches

            self._guesses -= 1
            near = get_close_matches(name, list(self._known), 1)
        hint = f"; did you mean {near[0]}?" if near else "; see caffefix fixers"
        return f'this suppression has no effect: no finding is called "{short(name)}"{hint}'


def _unused(directives: dict[Suppression, list[str]]) -> Iterator[Finding]:
    """Findings at the directives of one comment, with the names that silence nothing."""
    comment = next(iter(directives)).comment
    parts, position = [], 0
    for suppression, unused in sorted(directives.items(), key=lambda item: item[0].start):
        start = suppression.start - comment.start
        parts += [comment.text[position:start], _without(suppression, set(unused))]
        position = start + len(suppression.text)
    text = "".join((*parts, comment.text[position:])).rstrip()
    words = short(", ".join(dict.fromkeys(name for unused in directives.values() for name in unused)))
    fix = Fix((Reword(comment, text),), Applicability.SAFE, f"remove ignore[{words}]")
    for suppression, unused in directives.items():
        silences, it = ("silences", "the name") if len(unused) == 1 else ("silence", "the names")
        what = "deletes the suppression" if len(unused) == len(suppression.names) else f"removes {it}"
        message = f"{short(', '.join(unused))} {silences} nothing here; {what}"
        yield at(suppression, NAME, Severity.WARNING, message, fix)


def _without(suppression: Suppression, unused: set[str]) -> str:
    """A directive with fewer names, or nothing."""
    left = [name for name in suppression.names if name not in unused]
    head, _, rest = suppression.text.partition("[")
    return f"{head}[{', '.join(left)}]{rest.partition(']')[2]}" if left else ""
