"""Fixers: one file a finding, in the folder of its group, registered by being there.

A fixer is a module named after the bad pattern (``initialisation/missing_weight_filler.py`` finds
``missing-weight-filler``). The folder says under which heading its page is listed (``FOLDERS``). It has

- a docstring with the sections of ``SECTIONS``, in this order: its page in ``caffefix explain`` and
  ``docs/findings``. "Fix safety" begins with "Safe", "Unsafe" or "No fix", for what its fixes are at best;
- ``PASS``: when it runs;
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
that its files need. It is written when the package is built (``hatch_build.py``), and by ``python -m dev regen``.
In a checkout, what was edited since is asked itself: the index never outvotes a source.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any

from caffefix._startup.records import dataclass
from caffefix._startup.resources import in_source_tree, sum_of
from caffefix.findings import Finding, Pass, Subject

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
# The folders, and the groups that their findings are listed under.
FOLDERS = {
    "migration": "Syntax and migration",
    "schema": "Syntax and migration",
    "initialisation": "Initialisation",
    "learning": "Learning rates and freezing",
    "normalisation": "Normalisation",
    "data": "Data and transform",
    "loss": "Loss and output",
    "graph": "Graph and shapes",
    "solver": "Solver",
    "family": COMPARING,
    "forks": "Forks",
    "comments": "Suppression comments",
}
GROUPS = tuple(dict.fromkeys(FOLDERS.values()))


def skips_nothing(subject: Subject) -> bool:
    """What is looked for in every file."""
    return False


@dataclass(frozen=True, slots=True)
class Fixer:
    """A fixer.

    Attributes:
        name: the finding's name.
        runs_in: when it runs; fixers of a pass run in the order of their names.
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
    runs_in: Pass
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
    name: str, runs_in: int, changes: tuple[str, ...], family: bool, folder: str, *signs: tuple[str, ...]
) -> Fixer:
    """A fixer whose module is imported when somebody asks what it finds, or what it is about."""

    def find(subject: Subject) -> Iterator[Finding]:
        module = _module(folder, name)
        found = module.find(subject)
        return _filled_in(found) if getattr(module, "VALUES", False) else found

    def about() -> str:
        from inspect import cleandoc

        return cleandoc(_module(folder, name).__doc__ or "")

    given = tuple(filter(None, signs))
    return Fixer(name, Pass(runs_in), find, changes, family, FOLDERS[folder], False, given, about)


def _filled_in(found: Iterator[Finding]) -> Iterator[Finding]:
    from caffefix.caffe.placeholders import is_placeholder

    return (finding for finding in found if not is_placeholder(finding.node))


def _module(folder: str, name: str) -> Any:
    return import_module(f"{__name__}.{folder}.{name.replace('-', '_')}")


@cache
def fixers() -> tuple[Fixer, ...]:
    """All fixers in the order in which they run."""
    return tuple(sorted((_of_module(*row) for row in _rows()), key=lambda f: (f.runs_in, f.name)))


def _rows() -> Iterable[Row]:
    """What the fixers that are there declare: as the index has it, or as a module does that was edited since."""
    try:
        from caffefix.fixers._index import INDEX, SHARED, SUMS
    except ImportError:  # a checkout that was never installed
        return map(declared, fixer_sources())
    if not in_source_tree():
        return INDEX
    sources = fixer_sources()
    if sum_of(*shared_sources()) != SHARED:
        return map(declared, sources)
    known = {row[0]: row for row in INDEX}
    return (known[name_of(p)] if SUMS.get(name_of(p)) == sum_of(p) else declared(p) for p in sources)


def fixer_sources() -> list[str]:
    """The files of the fixers that are there, by name."""
    return sorted((path for path in _sources() if os.path.basename(path)[0] != "_"), key=name_of)


def name_of(path: str) -> str:
    """The fixer that a file is."""
    return os.path.basename(path)[:-3].replace("_", "-")


def shared_sources() -> list[str]:
    """The files that declarations may take values from."""
    caffe = os.path.join(os.path.dirname(_HERE), "caffe")
    helpers = [path for path in _sources() if os.path.basename(path)[0] == "_"]
    helpers += [os.path.join(_HERE, file) for file in os.listdir(_HERE) if _is_source(file)]
    return sorted([*helpers, *(os.path.join(caffe, file) for file in os.listdir(caffe) if _is_source(file))])


def _sources() -> Iterator[str]:
    """All modules in the folders of groups."""
    for folder in FOLDERS:
        where = os.path.join(_HERE, folder)
        yield from (os.path.join(where, file) for file in os.listdir(where) if _is_source(file))


def _is_source(file: str) -> bool:
    return file.endswith(".py") and file != "_index.py"


def declared(path: str) -> Row:
    """What a fixer's module declares: its row in the index."""
    folder, name = os.path.basename(os.path.dirname(path)), name_of(path)
    module = _module(folder, name)
    changes, signs, roles = (getattr(module, key, ()) for key in ("CHANGES", "SIGNS", "ROLES"))
    return name, module.PASS.value, changes, getattr(module, "NEEDS_FAMILY", False), folder, signs, roles
