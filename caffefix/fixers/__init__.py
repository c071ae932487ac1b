"""Fixers: one file a finding, registered by being here.

A fixer is a module named after the bad pattern (``missing_weight_filler`` finds
``missing-weight-filler``). It has

- a docstring with the sections of ``SECTIONS``, in this order: its page in ``caffefix explain`` and
  ``docs/findings``. "Fix safety" begins with "Safe", "Unsafe" or "No fix", for what its fixes are at best;
- ``PHASE``: when it runs;
- ``GROUP``: one of ``GROUPS``, under which its page is listed;
- ``CHANGES``: paths of what its fixes may change in the meaning of a net, as field names from
  the net down (``layer.convolution_param.weight_filler``, and all below it); left out by a fixer
  that preserves the meaning. The engine refuses a fix that changes anything else;
- ``NEEDS_FAMILY = True``, if what it finds depends on the files beside the one that is judged
  (``subject.family``): it cannot be told from the file's content alone;
- ``SIGNS``, where there are any: names of fields, types of layers, kinds of problems or a role
  (``Subject.signs``), without all of which it finds nothing. A file without any of them is not
  shown to it, and the module is not even imported;
- ``VALUES = True``, if it judges the value of the field that a finding is about (``node``): nothing is found
  there while a placeholder stands for the value;
- ``ROLES``, if it finds something in nets of these roles only: the same for those;
- ``find(subject)``: yields findings, with fixes where there are any.

What the modules declare is written down in ``_index.py``, so that a run imports those fixers only
that its files need: ``python -m caffefix.fixers`` writes it again. In a checkout, what was edited since is
asked itself: the index never outvotes a source.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module

from caffefix.findings import Finding, Phase, Subject
from caffefix.records import dataclass
from caffefix.resources import in_source_tree, sum_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HERE = os.path.dirname(__file__)
Row = tuple[str, int, tuple[str, ...], bool, str, tuple[str, ...], tuple[str, ...]]

SECTIONS = (
    "What it finds",
    "Why it matters",
    "Example",
    "Fix safety",
    "When it is a false alarm",
    "What the forums say",
    "References",
)
OPTIONAL = ("What the forums say",)

COMPARING = "Deploy and train consistency"  # findings in a file that compare it with another
GROUPS = (
    "Syntax and migration",
    "Initialisation",
    "Learning rates and freezing",
    "Normalisation",
    "Data and transform",
    "Loss and output",
    "Graph and shapes",
    "Solver",
    COMPARING,
    "Forks",
    "Suppression comments",
)


def skips_nothing(subject: Subject) -> bool:
    """What is looked for in every file."""
    return False


@dataclass(frozen=True, slots=True)
class Fixer:
    """A fixer.

    Attributes:
        name: the finding's name.
        phase: when it runs; fixers of a phase run in the order of their names.
        find: its findings in a file.
        changes: paths of what its fixes may change in the meaning of a net.
        needs_family: whether its findings depend on other files.
        group: one of ``GROUPS``.
        opt_in: whether it is run only if it is asked for by name.
        signs: groups of ``Subject.signs``; it finds nothing in a file without one of each group.
        about: gives the whole page.
        once: whether each place is rewritten once a run, though what it becomes would be found again.
        skips: whether it was asked for, but did not look at a file for its old format.
    """

    name: str
    phase: Phase
    find: Callable[[Subject], Iterator[Finding]]
    changes: tuple[str, ...] = ()
    needs_family: bool = False
    group: str = ""
    opt_in: bool = False
    signs: tuple[tuple[str, ...], ...] = ()
    about: Callable[[], str] = str
    once: bool = False
    skips: Callable[[Subject], bool] = skips_nothing

    @property
    def page(self) -> str:
        """The whole page in ``caffefix explain``."""
        return self.about()

    @property
    def summary(self) -> str:
        """First line of its page."""
        return self.page.partition("\n")[0]

    def may_find(self, subject: Subject) -> bool:
        """Whether it is worth while to look."""
        return not any(map(subject.signs.isdisjoint, self.signs))


def _of_module(
    name: str, phase: int, changes: tuple[str, ...], family: bool, group: str, *signs: tuple[str, ...]
) -> Fixer:
    """A fixer whose module is imported when somebody asks what it finds, or what it is about."""

    def find(subject: Subject) -> Iterator[Finding]:
        found = _module(name).find(subject)
        return _filled_in(found) if judges_values(name) else found

    def about() -> str:
        from inspect import cleandoc

        return cleandoc(_module(name).__doc__ or "")

    return Fixer(name, Phase(phase), find, changes, family, group, False, tuple(filter(None, signs)), about)


def judges_values(name: str) -> bool:
    """Whether a fixer's findings judge the values of the fields that they are about."""
    return getattr(_module(name), "VALUES", False)


def _filled_in(found: Iterator[Finding]) -> Iterator[Finding]:
    from caffefix.caffe.placeholders import is_placeholder

    return (finding for finding in found if not is_placeholder(finding.node))


def _module(name: str) -> Any:
    return import_module(f"{__name__}.{name.replace('-', '_')}")


@cache
def fixers() -> tuple[Fixer, ...]:
    """All fixers in the order in which they run."""
    return tuple(sorted((_of_module(*row) for row in _rows()), key=lambda f: (f.phase, f.name)))


def _rows() -> Iterable[Row]:
    """What the fixers that are there declare: as the index has it, or as a module does that was edited since."""
    from caffefix.fixers._index import INDEX, SHARED, SUMS

    if not in_source_tree():
        return INDEX
    if sum_of(*shared_sources()) != SHARED:
        return map(declared, names())
    known = {row[0]: row for row in INDEX}
    return (known[name] if SUMS.get(name) == sum_of(source(name)) else declared(name) for name in names())


def names() -> list[str]:
    """The fixers that are there."""
    return sorted(file[:-3].replace("_", "-") for file in os.listdir(_HERE) if _is_source(file) and file[0] != "_")


def source(name: str) -> str:
    """The file of a fixer."""
    return os.path.join(_HERE, name.replace("-", "_") + ".py")


def shared_sources() -> list[str]:
    """The files that declarations may take values from."""
    caffe = os.path.join(os.path.dirname(_HERE), "caffe")
    helpers = [os.path.join(_HERE, file) for file in os.listdir(_HERE) if _is_source(file) and file[0] == "_"]
    return sorted([*helpers, *(os.path.join(caffe, file) for file in os.listdir(caffe) if _is_source(file))])


def _is_source(file: str) -> bool:
    return file.endswith(".py") and file != "_index.py"


def declared(name: str) -> Row:
    """What a fixer's module declares: its row in the index."""
    module = _module(name)
    declared = (getattr(module, key, default) for key, default in _DECLARED)
    return name, module.PHASE.value, *declared


_DECLARED = (("CHANGES", ()), ("NEEDS_FAMILY", False), ("GROUP", ""), ("SIGNS", ()), ("ROLES", ()))
