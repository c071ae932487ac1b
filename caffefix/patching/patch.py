"""A loaded patch: where it searches, what it finds, and what it does about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.patterns import pattern
from caffefix._startup.records import dataclass
from caffefix.caffe.net import Generation, Net
from caffefix.caffe.roles import Role, file_role
from caffefix.caffe.schema import load as load_schema
from caffefix.caffe.typecheck import NET, SOLVER
from caffefix.findings import Applicability, Finding, Fix, Subject
from caffefix.patching.entries import Entry
from caffefix.patching.front_matter import Front, Where
from caffefix.patching.goals import Goal, is_layer
from caffefix.patching.layers import Layers
from caffefix.patching.matcher import Match, Place, Search
from caffefix.patching.pattern import Body
from caffefix.patching.prefilter import Prefilter
from caffefix.patching.values import Bound, filled
from caffefix.syntax.edits import EditError
from caffefix.syntax.lowering import lower
from caffefix.syntax.scalars import string_value
from caffefix.syntax.source import Source, short
from caffefix.syntax.tree import Document, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from caffefix.patching.rewrite import Draft

_HOLE = pattern(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SHOWN = 3  # edits in a title


@dataclass(frozen=True, slots=True)
class Join:
    """Two layers of the body that name the same blob.

    Attributes:
        blob: the variable.
        maker: offset of the layer that produces it; None where both read it.
        reader: offset of the layer that reads it.
        beside: offset of the other layer that reads it, where neither produces it.
    """

    blob: str
    maker: int | None
    reader: int
    beside: int | None = None


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch.

    Attributes:
        source: its file.
        front: its front matter.
        body: its two sides.
        entries: both sides as one.
        goals: what must be found.
        prefilters: the fields that each of their messages must have, by offset.
        joins: layers that are connected by blobs.
        conditions: what must hold, and the offset of the message that it is about.
        needs: names of fields and types of layers that a file must have for it to match.
        kinds: types in caffe.proto of the messages that it searches: nets, solvers.
        layered: whether it matches layers.
        changes: paths of what it may change in the meaning of a net.
        structural: whether it may change which layer reads which.
    """

    source: Source
    front: Front
    body: Body
    entries: tuple[Entry, ...]
    goals: tuple[Goal, ...]
    prefilters: dict[int, Prefilter]
    joins: tuple[Join, ...]
    conditions: tuple[tuple[Where, int], ...]
    needs: frozenset[str]
    kinds: frozenset[str]
    layered: bool
    changes: tuple[str, ...]
    structural: bool

    def find(self, subject: Subject) -> Iterator[Finding]:
        """One finding for each match in a file that has what it needs."""
        if not self._may_concern(subject):
            return
        for net, host in self._hosts(subject):
            drafts = list(self._drafts(subject, net, host))
            cut = _cut(subject.document, drafts) if self.structural and drafts else {}
            for index, found in enumerate(drafts):
                yield self._finding(subject.document, found, cut.get(index, found.trouble))

    def skips(self, subject: Subject) -> bool:
        """Whether the patch skips a file because of layers of an old format: patches see the current format."""
        layers = (layer for net in subject.all_nets for layer in net.layers if self.layered)
        return any(layer.generation is not Generation.V2 for layer in layers)

    def _may_concern(self, subject: Subject) -> bool:
        for where in self.front.wheres:
            if where.dialects and not any(subject.forks & load_schema().bit(name) for name in where.dialects):
                return False
        return True

    def _hosts(self, subject: Subject) -> Iterator[tuple[Net | None, Place]]:
        roles = [where.roles for where in self.front.wheres if where.roles]
        if NET in self.kinds:
            for net in subject.nets:
                if all(subject.role(net) in asked for asked in roles):
                    yield net, Place(net.node, NET)
        solves = file_role(subject.document) is Role.SOLVER and all(Role.SOLVER in asked for asked in roles)
        if SOLVER in self.kinds and solves:
            yield None, Place(subject.document.root, SOLVER)

    def _drafts(self, subject: Subject, net: Net | None, host: Place) -> Iterator[Draft]:
        """What would be done about each match, without duplicates."""
        search = self._search(subject, net, host)
        seen: set[tuple[Any, ...]] = set()
        for match in self.matches(search):
            found = self.draft(match, host)
            key = _key(found) if found is not None else ()
            if found is not None and key not in seen:
                seen.add(key)
                yield found

    def _search(self, subject: Subject, net: Net | None, host: Place) -> Search:
        def bvlc() -> bool:
            return subject.verdict is None or subject.verdict.accepted_by("bvlc")

        layers = _layers(subject.document, net) if net is not None else None
        return Search(
            goals=self.goals,
            prefilters=self.prefilters,
            constraints=self.front.constraints,
            host=host,
            layers=layers,
            bvlc=bvlc,
        )

    def layers_matched(self, subject: Subject) -> Iterator[tuple[Node, ...]]:
        """The layers of each match, in the order of the body."""
        offsets = [item.offset for item in self.body.before if is_layer(item)]
        for net, host in self._hosts(subject):
            for match in self.matches(self._search(subject, net, host)):
                if self.draft(match, host) is not None:
                    yield tuple(map(match.message, offsets))

    def matches(self, search: Search) -> Iterator[Match]:
        """The results of a search that satisfy joins and conditions."""
        for match in search.matches():
            if self._joined(match, search.layers) and self._conditions_hold(match, search.layers):
                yield match

    def draft(self, match: Match, host: Place) -> Draft | None:
        """What to do about a match; None for nothing."""
        from caffefix.patching.rewrite import Draft, draft  # few files have a match

        assert host.node is not None
        if self.front.applicability is Applicability.DISPLAY:
            node = next(p.node for p in list(match.places.values())[1:] if p.node is not None)
            return Draft((), (), node, match)
        return draft(self.entries, match, host.node, host.kind)

    def _joined(self, match: Match, layers: Layers | None) -> bool:
        for join in self.joins if layers is not None else ():
            bound = match.bound[join.blob]
            assert isinstance(bound, str)
            assert layers is not None
            blob, reader = string_value(bound), match.message(join.reader)
            if join.maker is not None:
                if not layers.feeds(match.message(join.maker), reader, blob):
                    return False
            elif join.beside is not None and not layers.share(match.message(join.beside), reader, blob):
                return False
        return True

    def _conditions_hold(self, match: Match, layers: Layers | None) -> bool:
        for where, offset in self.conditions:
            node = match.message(offset)
            if any(_has(node, path) for path in where.absent) or not all(_has(node, p) for p in where.present):
                return False
            if where.asks_of_layer and (layers is None or not layers.holds(where, node)):
                return False
        return True

    def _finding(self, document: Document, found: Draft, trouble: str) -> Finding:
        front, bound = self.front, found.match.bound
        message = fill(front.message, bound) or front.summary
        fix = None
        if not trouble and found.edits:
            title = fill(front.title, bound) or _title(found.words)
            fix = Fix(found.edits, front.applicability, title, () if front.preserves_meaning else None)
            trouble = _unwritable(document, fix)
        if trouble:
            return Finding(
                front.name, front.severity, f"{message} (not edited: {trouble})", found.node, _layer(found)
            )
        return Finding(front.name, front.severity, message, found.node, layer=_layer(found), fix=fix)


def _cut(document: Document, drafts: Sequence[Draft]) -> dict[int, str]:
    from caffefix.patching.structure import cut_by  # the same

    return cut_by(document, drafts)


def fill(template: str, bound: dict[str, Bound]) -> str:
    """A text of the front matter with its variables filled in."""
    return _HOLE.sub(lambda hole: short(filled(bound[hole.group(1)])), template)


def holes(template: str) -> Iterator[str]:
    """The variables in a text of the front matter."""
    return (hole.group(1) for hole in _HOLE.finditer(template))


def _layers(document: Document, net: Net) -> Layers:
    """The layers of a net, indexed once for all patches."""
    found: dict[int, Layers] = document.memory.setdefault("layers", {})
    key = id(net.node)
    if key not in found:
        found[key] = Layers(net)
    return found[key]


def _has(node: Node, path: tuple[str, ...]) -> bool:
    holder = node.message(*path[:-1])
    return holder is not None and holder.has(path[-1])


def _layer(found: Draft) -> str:
    """The name of the layer that a draft is about."""
    around = [found.node, *found.node.ancestors()]
    names = [node.string("name") for node in around if node.name == "layer" and node.is_message]
    return short(next((name for name in names if name), ""))


def _title(words: tuple[str, ...]) -> str:
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more


def _unwritable(document: Document, fix: Fix) -> str:
    """Why the edits of a fix cannot be made; empty if they can."""
    try:
        lower(document, fix.edits)
    except EditError as error:
        return str(error)
    return ""


def _key(found: Draft) -> tuple[Any, ...]:
    """Identifies what a draft does: two matches that would do the same are one finding."""
    return (tuple(map(repr, found.edits)), found.trouble, found.node.start)
