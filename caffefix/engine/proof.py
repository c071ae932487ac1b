"""What every repair must prove before it is written. Each failure but the last refuses the file.

1. The tree prints the original byte for byte.
2. An applier that shares no code with the printer turns original and diff into the result.
3. The result parses.
4. A second run proposes nothing.
5. Every comment keeps its owner, except for moves that the edits declare.
6. The meaning (the net after Caffe's own upgrade) changes only where the fixer declared.
7. Every suppression covers as much as before: a field, a message or the file.
8. The result can be read by the Caffe that the file is for, if that is known. (A fixer that fails this proof is
   held back, and the others continue.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from caffefix.caffe.family import Family
from caffefix.caffe.typecheck import Kind, Problem
from caffefix.findings import Subject
from caffefix.syntax import comments
from caffefix.syntax.edits import (
    Delete,
    Edit,
    Insert,
    Kept,
    New,
    NewMessage,
    Remark,
    Rename,
    Replace,
    Reword,
    Unwrap,
)
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source
from caffefix.syntax.suppressions import Suppression, Suppressions
from caffefix.syntax.tree import Document, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.caffe.caffes import Caffes
    from caffefix.caffe.needs import Use
    from caffefix.caffe.normal import NormalForm


class ProofError(Exception):
    """A repair that cannot be proved; the message says which proof failed, and where."""


def prints(document: Document) -> None:
    """Proof 1.

    Raises:
        ProofError: the tree does not print its text.
    """
    if document.print() != document.text:
        raise ProofError("the parsed file does not print exactly as it was read")


def parses(path: str, text: str) -> Document:
    """Proof 3: the document of a repaired text.

    Raises:
        ProofError: the text does not parse.
    """
    try:
        return parse(text)
    except PrototxtError as error:
        raise ProofError(
            "the result does not parse: " + error.render(Source(path, text.encode("latin-1")))
        ) from None


def applies(old: bytes, diff: bytes, new: bytes) -> None:
    """Proof 2.

    Raises:
        ProofError: the diff does not turn old into new.
    """
    from caffefix.engine.applier import ApplyError, apply_diff  # most files do not need it

    try:
        result = apply_diff(old, diff)
    except ApplyError as error:
        raise ProofError(f"the diff does not apply: {error}") from None
    if result != new:
        raise ProofError("the diff does not give the result")


def proposes_nothing(names: Iterable[str]) -> None:
    """Proof 4.

    Raises:
        ProofError: findings that a second run would still fix.
    """
    again = list(names)
    if again:
        raise ProofError(f"a second run would change the file again: {', '.join(sorted(set(again)))}")


def keeps_comments(before: Document, after: Document, edits: Sequence[Edit]) -> None:
    """Proof 5.

    Raises:
        ProofError: a comment is lost, or belongs to a different field than before.
    """
    declared = _Declared(edits)
    expected: Counter[tuple[str, str]] = Counter()
    wrappers: dict[tuple[str, str], set[str]] = {}
    anywhere: Counter[str] = Counter()
    for comment in comments.owned(before):
        text, owner = declared.texts.get(comment.start, comment.text), comment.owner
        if not text:
            continue
        around = {id(owner), *map(id, owner.ancestors())}
        if around & declared.dropped or (around & declared.silent and comments.is_of_field(comment.text)):
            continue
        if around & declared.deleted or id(owner) in declared.unwrapped:
            anywhere[text] += 1
            continue
        key = text, declared.signature(owner)
        expected[key] += 1
        if id(owner) in declared.wrappers:
            wrappers.setdefault(key, set()).update(declared.wrappers[id(owner)])
    expected.update((text, declared.signature(node)) for text, node in declared.remarks)
    plain = _Declared(())
    found = Counter((c.text, plain.signature(c.owner)) for c in comments.owned(after))
    extra = found - expected
    for (text, beside), count in (expected - found).items():
        # On a line with several fields, a comment ends up after the message that now wraps its owner.
        names = wrappers.get((text, beside), set())
        behind = [key for key in extra if key[0] == text and key[1].partition(" ")[0] in names]
        if sum(extra[key] for key in behind) < count:
            raise ProofError(f"the comment {text!r} no longer belongs to {beside or 'the file'}")
        for key in behind:
            taken = min(count, extra[key])
            extra[key] -= taken
            count -= taken
    for (text, _), count in extra.items():
        anywhere[text] -= count
    astray = next((text for text, count in anywhere.items() if count), None)
    if astray is not None:
        raise ProofError(f"the comment {astray!r} is {'lost' if anywhere[astray] > 0 else 'duplicated'}")


def keeps_meaning(before: NormalForm, after: NormalForm, declared: Sequence[str]) -> None:
    """Proof 6.

    Raises:
        ProofError: there is a change that was not declared.
    """
    from caffefix.caffe.delta import undeclared

    found = undeclared(before, after, declared)
    if found:
        first = found[0]
        where = f'layer "{first.layer}"' if first.layer or not first.path else "the file"
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ProofError(
            f"the meaning would change where the fix does not declare it: {where}: {first.path or 'layer'}: "
            f"{first.old or 'absent'} → {first.new or 'absent'}{more}"
        )


def only_layers_gone(before: Document, after: Document) -> None:
    """That one net is the other without some of its layers: what is left computes what it computed.

    Raises:
        ProofError: something else differs.
    """
    from caffefix.caffe.delta import changes
    from caffefix.caffe.normal import normal_form

    for change in changes(normal_form(before), normal_form(after)):
        if change.path or change.new:
            what = change.path or "layer"
            raise ProofError(f'a layer that stays would change: layer "{change.layer}": {what}')


def _goes(suppression: Suppression, silent: set[int]) -> bool:
    """Whether a suppression is deleted together with what it covers."""
    owner = suppression.comment.owner
    around = {id(owner), *map(id, owner.ancestors())}
    return bool(around & silent) and comments.is_of_field(suppression.comment.text)


def keeps_suppressions(before: Document, after: Document, edits: Sequence[Edit]) -> None:
    """Proof 7. If a suppression covered less, what its author wanted to keep could be changed.

    A suppression is deleted together with what it covers, if the edits say so.

    Raises:
        ProofError: a suppression no longer covers its field, its message or the file.
    """
    silent = _Declared(edits).silent
    old = [s for s in Suppressions(before).all if not _goes(s, silent)]
    new = Suppressions(after).all
    for reach in range(max((s.reach for s in old), default=0), 0, -1):
        lost = Counter(s.text for s in old if s.reach >= reach) - Counter(s.text for s in new if s.reach >= reach)
        for text in lost:
            what = ("", "a field", "the message that it belonged to", "the file")[reach]
            raise ProofError(
                f"the suppression {text.strip()!r} would no longer cover {what}; write it above the layer"
            )


class UnreadableError(ProofError):
    """A repair that the Caffe that the file is for cannot read; the message is that Caffe's own."""


def is_read(before: Subject, after: Subject) -> None:
    """Proof 8.

    Raises:
        UnreadableError: the parser of that Caffe stops where it did not before, or that Caffe lacks a name.
    """
    if not after.named or before.verdict is None or after.verdict is None:
        return
    known = Counter(_words(problem) for problem in before.refused)
    for problem in after.refused:
        known[_words(problem)] -= 1
        if known[_words(problem)] < 0:
            raise UnreadableError(problem.text)
    lacking, old = _lacking(after), _lacking(before)
    if len(lacking) > len(old):
        from caffefix.caffe.registry import ABORTS

        had = {(use.kind, use.name) for use in old}
        use = next((use for use in lacking if (use.kind, use.name) not in had), lacking[-1])
        raise UnreadableError(f"{ABORTS[use.kind]}: {use.name}")


def refuse_unread(source: Source, data: bytes, caffes: Caffes | None) -> None:
    """Proof 8 for a file that is made from another one, for the Caffe in its repository.

    Raises:
        Refusal: that Caffe could not read the result.
    """
    from caffefix.caffe.refusal import Refusal

    family = Family(caffes=caffes)
    before, after = (Subject(parse(text), family=family) for text in (source.text, data.decode("latin-1")))
    try:
        is_read(before, after)
    except UnreadableError as error:
        message = f'{after.caffes.who} could not read the result: "{error}"'
        raise Refusal("does-not-load", message).placed(source) from None


def _words(problem: Problem) -> tuple[Kind, str]:
    return problem.kind, problem.text


def _lacking(subject: Subject) -> list[Use]:
    """The names in a file that the Caffe that it is for does not register."""
    from caffefix.caffe.needs import uses  # needed only where the Caffe is known

    memory, key = subject.document.memory, f"lacking in {subject.named}"
    if key not in memory:
        memory[key] = [use for use in uses(subject.document, subject.caffes) if use.lacking & subject.named]
    found: list[Use] = memory[key]
    return found


class _Declared:
    """What edits declare will happen to the owners of comments."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self.names: dict[int, str] = {}
        self.values: dict[int, str] = {}
        self.dropped: set[int] = set()
        self.deleted: set[int] = set()  # the owner is deleted, its comments are kept
        self.silent: set[int] = set()  # the owner is deleted, and its suppressions with it
        self.unwrapped: set[int] = set()
        self.labels: dict[int, Node] = {}  # the name that a message gets from a message unwrapped into it
        self._signatures: dict[Node, str] = {}
        self.wrappers: dict[int, set[str]] = {}  # names of the messages that are put around a field
        self.texts: dict[int, str] = {}  # what a comment becomes, by its offset
        self.remarks: list[tuple[str, Node]] = []
        for edit in edits:
            if isinstance(edit, Rename):
                self.names[id(edit.node)] = edit.name
            elif isinstance(edit, Replace):
                self.values[id(edit.node)] = edit.value
            elif isinstance(edit, Delete):
                (self.deleted if edit.comments else self.dropped).add(id(edit.node))
                if not edit.suppressions:
                    self.silent.add(id(edit.node))
            elif isinstance(edit, Unwrap):
                self.unwrapped.add(id(edit.node))
                label = edit.node.field("name")
                if label is not None and edit.node.parent is not None:
                    self.labels[id(edit.node.parent)] = label
            elif isinstance(edit, Reword):
                self.texts[edit.comment.start] = edit.text
            elif isinstance(edit, Remark):
                self.remarks.append((edit.text, edit.node))
            elif isinstance(edit, Insert):
                self._insert(edit)

    def _insert(self, edit: Insert) -> None:
        stack: list[tuple[New, frozenset[str]]] = [(item, frozenset()) for item in edit.items]
        while stack:
            item, around = stack.pop()
            if isinstance(item, NewMessage):
                stack += [(inner, around | {item.name}) for inner in item.items]
            elif isinstance(item, Kept):
                self.wrappers.setdefault(id(item.node), set()).update(around)
                if item.name is not None:
                    self.names[id(item.node)] = item.name

    def signature(self, owner: Node) -> str:
        """Name and value of a field; name and ``name:`` of a message."""
        if owner.parent is None:
            return ""
        found = self._signatures.get(owner)
        if found is None:
            found = self._signatures[owner] = self._signature(owner)
        return found

    def _signature(self, owner: Node) -> str:
        name = self.names.get(id(owner), owner.name)
        if not owner.is_message:
            return f"{name}: {self.values.get(id(owner), owner.value)}"
        label = owner.field("name") if owner.has("name") else self.labels.get(id(owner))
        return name if label is None else f"{name} {self.values.get(id(label), label.value)}"
