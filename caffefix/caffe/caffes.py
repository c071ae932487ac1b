"""The Caffes that a file is judged by: all known forks and, if the file's repository has one, the owner's own.

The owner's is another fork: a set of forks is an int, and its bit comes after those of the known ones. Code that
uses known forks by name or in their tables does not have to handle it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from caffefix._startup.records import cached_property, dataclass
from caffefix.caffe.schema import Schema, load
from caffefix.caffe.typecheck import Checker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.caffe.own.sources import Registered
    from caffefix.caffe.registry import Form, Kind
    from caffefix.proto.link import Linked


OWN = "this repository's Caffe"


@dataclass(frozen=True)
class Own:
    """What was read of the owner's Caffe.

    Attributes:
        name: of its caffe.proto, as messages call it.
        linked: the caffe.proto, and what it imports.
        registered: what its sources register.
        digest: identifies all of this.
        is_given: whether the user names it, so it may be anywhere.
    """

    name: str
    linked: Linked
    registered: Registered
    digest: bytes
    is_given: bool = False


class Caffes:
    """The known forks, and the owner's Caffe if there is one.

    Args:
        given: the owner's.

    Attributes:
        given: the owner's.
        own: its bit; 0 without one.
    """

    def __init__(self, given: Own | None = None) -> None:
        self.given = given
        self.own = 0 if given is None else 1 << len(load().forks)
        self._upgrades = {} if given is None else {(g, old): new for g, old, new in given.registered.upgrades}

    @property
    def who(self) -> str:
        """The owner's, as messages call it."""
        return f"the Caffe of {self.given.name}" if self.given is not None and self.given.is_given else OWN

    @cached_property
    def schema(self) -> Schema:
        """What their parsers know."""
        if self.given is None:
            return load()
        from caffefix.caffe.own.messages import with_own

        return with_own(self.given.linked, self.given.name)

    @cached_property
    def checker(self) -> Checker:
        return Checker(self.schema)

    def judging(self, message: str) -> int:
        """The forks that are consulted about a file: the owner's only where it has such a message."""
        everyone = self.schema.everyone
        return everyone & ~self.own if self.own and message not in self._messages else everyone

    @cached_property
    def _messages(self) -> frozenset[str]:
        files = self.given.linked.files if self.given is not None else ()
        return frozenset(message.name for file in files for message in file.messages)

    def known(self, kind: Kind) -> int:
        """The forks whose registered names were read."""
        from caffefix.caffe import registry  # not every run needs what is registered

        return registry.known(kind) | (self.own if self._reads(kind) else 0)

    def _reads(self, kind: Kind) -> bool:
        from caffefix.caffe.registry import anchored

        return self.given is not None and any(self._has(kind, name, form) for name, form in anchored(kind))

    def registering(self, kind: Kind, name: str, form: Form | None = None) -> int:
        """The forks that accept a name with this spelling, as a string by default; like
        ``registry.registering``."""
        from caffefix.caffe import registry

        form = form or registry.Form.STRING
        found = registry.registering(kind, name, form)
        return found | self.own if self.given is not None and self._makes(kind, name, form) else found

    def _makes(self, kind: Kind, name: str, form: Form) -> bool:
        """Whether the owner's registers a name, or the result of its upgrade."""
        if self._has(kind, name, form):
            return True
        from caffefix.caffe.registry import Form, Kind

        if kind is not Kind.LAYER or form is Form.STRING:
            return False
        generation, becomes = ("v0", Form.ENUM) if form is Form.V0 else ("v1", Form.STRING)
        return any(self._makes(kind, new, becomes) for new in self._upgraded(generation, name))

    def _upgraded(self, generation: str, name: str) -> list[str]:
        """The result of the owner's upgrade of an old type; where that was not read, of the known forks'
        upgrades."""
        if any(known == generation for known, _ in self._upgrades):
            return [self._upgrades[generation, name]] if (generation, name) in self._upgrades else []
        from caffefix.caffe import registry

        return [new for new, _ in registry.upgrades(generation, name)]

    def _has(self, kind: Kind, name: str, form: Form) -> bool:
        return self.given is not None and (kind, form, name) in self.given.registered.names

    def names(self, kind: Kind, forks: int, form: Form | None = None) -> Iterator[str]:
        """The names that some of these register, in that form; as strings by default."""
        from caffefix.caffe import registry

        form = form or registry.Form.STRING
        found = dict.fromkeys(registry.names(kind, forks & ~self.own, form))
        if self.given is not None and forks & self.own:
            own = (one for k, f, one in self.given.registered.names if (k, f) == (kind, form))
            found.update(dict.fromkeys(sorted(own)))
        yield from found


@cache
def known_caffes() -> Caffes:
    """The known forks alone."""
    return Caffes()
