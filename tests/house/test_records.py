"""Records behave as the dataclasses that type checkers take them for."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from caffefix._startup import records

BODY = '''
class Point:
    """A point."""
    x: int
    y: int = 2
    tags: list = field(default_factory=list, repr=False)
    def __post_init__(self): self.tags.append(self.y)
    def norm(self): return self.x ** 2 + self.y ** 2
    @property
    def first(self): return self.x
Point.__module__ = __name__
'''


def made(module: ModuleType, **options: Any) -> Any:
    scope = {"field": module.field, "__name__": __name__}
    exec(BODY, scope)
    return module.dataclass(**options)(scope["Point"])


OPTIONS = [
    {"frozen": frozen, "slots": slots, "eq": eq}
    for frozen in (False, True)
    for slots in (False, True)
    for eq in (False, True)
]


@pytest.fixture(params=OPTIONS, ids=lambda o: "-".join(k for k, v in o.items() if v) or "plain")
def pair(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    return made(records, **request.param), made(dataclasses, **request.param)


def outcome(work: Any) -> Any:
    try:
        return work()
    except (TypeError, AttributeError) as error:
        return TypeError if isinstance(error, TypeError) else AttributeError


def setting(thing: Any, name: str) -> Any:
    setattr(thing, name, 7)
    return getattr(thing, name)


@pytest.mark.parametrize(
    "ask",
    [
        lambda c, m: repr(c(1)),
        lambda c, m: repr(c(1, y=3, tags=[4])),
        lambda c, m: c(1, 5).norm() + c(x=1).first,
        lambda c, m: c(),
        lambda c, m: c(1, 2, [], 4),
        lambda c, m: c(1, z=2),
        lambda c, m: c(1) == c(1),
        lambda c, m: c(1) == c(2),
        lambda c, m: c(1) == (1, 2, []),
        lambda c, m: len({hash(point) for point in [c(1, 2, ()), c(1, 2, ())]}),
        lambda c, m: isinstance(hash(c(1)), int),
        lambda c, m: setting(c(1), "x"),
        lambda c, m: delattr(c(1), "x"),
        lambda c, m: setting(c(1), "elsewhere") if hasattr(c(1), "__dict__") else "slots",
        lambda c, m: c(1).tags is c(1).tags,
        lambda c, m: repr(m.replace(c(1, tags=[9]), x=8).tags),
        lambda c, m: m.replace(c(1), nothing=8),
        lambda c, m: [f.name for f in m.fields(c)] + [f.name for f in m.fields(c(1))],
        lambda c, m: (c.__match_args__, c.__name__, c.__doc__, c.__module__),
        lambda c, m: repr(copy.copy(c(1, 3))) + repr(copy.deepcopy(c(4))),
        lambda c, m: hasattr(c(1), "__dict__"),
    ],
)  # fmt: skip
def test_same_as_dataclasses(pair: tuple[Any, Any], ask: Any) -> None:
    ours, theirs = pair
    assert outcome(lambda: ask(ours, records)) == outcome(lambda: ask(theirs, dataclasses))


def test_a_record_of_ours_crosses_processes() -> None:
    from caffefix.findings import Applicability, Severity
    from caffefix.results import Diagnostic

    found = Diagnostic("a", Severity.ERROR, Applicability.SAFE, "m", 1, 2, 1, 3, "conv1", False)
    assert pickle.loads(pickle.dumps(found)) == found


def test_records_do_not_inherit_from_records() -> None:
    """``_record`` does not look at base classes: this is what makes that right."""
    from caffefix.fixers import fixers

    assert all(fixer.page for fixer in fixers())  # which imports them all
    ours = [c for c in _classes(object) if str(c.__module__).startswith("caffefix.")]
    with_fields = [c for c in ours if "_shown" in vars(c)]
    assert len(with_fields) > 40
    assert not [c for c in with_fields if any("_shown" in vars(base) for base in c.__mro__[1:])]


def _classes(root: type) -> list[type]:
    found, rest = [], [root]
    while rest:
        inner = type.__subclasses__(rest.pop())
        found += inner
        rest += inner
    return found


def test_the_stub_names_what_there_is() -> None:
    stub = Path(records.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    names = [line.rpartition(" ")[2] for line in stub.splitlines() if line]
    assert names
    assert all(callable(getattr(records, name)) for name in names)
