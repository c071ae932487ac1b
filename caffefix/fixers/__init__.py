"""Fixers: one file for each finding, in the folder of its group, registered by being present.

A fixer is a module named after the bad pattern (``initialisation/missing_weight_filler.py`` finds
``missing-weight-filler``). The folder says under which heading its page is listed (``FOLDERS``). It has

- a docstring with the sections of ``SECTIONS``, in this order: its page in ``caffefix explain`` and
  ``docs/findings``. "Fix safety" begins with "Safe", "Unsafe" or "No fix", the best case of its fixes;
- ``PASS``: when it runs;
- ``CHANGES``: paths of what its fixes may change in the meaning of a net, as field names from
  the net down (``layer.convolution_param.weight_filler``, and all below it); omitted by a fixer
  that preserves the meaning. The engine refuses a fix that changes anything else;
- ``NEEDS_FAMILY = True``, if its findings depend on other files in the folder (``subject.family``),
  not on the file's content alone;
- ``SIGNS``, if it has any: names of fields, types of layers, kinds of problems or a role
  (``Subject.signs``), without all of which it finds nothing. It is not run on a file without any
  of them, and the module is not even imported;
- ``VALUES = True``, if it judges the value of the field that a finding is about (``node``): nothing is
  reported there while the value is a placeholder;
- ``ROLES``, if it finds something only in nets of these roles: used like ``SIGNS``;
- ``find(subject)``: yields findings, with fixes if possible.

What the modules declare is recorded in ``_index.py``, so a run imports only the fixers that its files
need. It is written when the package is built (``hatch_build.py``), and by ``python -m dev regen``. In a
checkout, a module that was edited since is imported instead: the index never overrides a source.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module

from caffefix._startup.records import dataclass
from caffefix._startup.resources import in_source_tree, sum_of
from caffefix.findings import Finding, Pass, Subject

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

COMPARING = "Deploy and train consistency"  # findings that compare a file with another
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
    """Skip no file."""
    return False


@dataclass(frozen=True, slots=True)
class Fixer:
    """A fixer.

    Attributes:
        name: the finding's name.
        runs_in: the pass in which it runs; fixers of a pass run in the order of their names.
        find: yields its findings in a file.
        changes: paths of what its fixes may change in the meaning of a net.
        needs_family: whether its findings depend on other files.
        group: one of ``GROUPS``.
        opt_in: whether it runs only if it is requested by name.
        signs: groups of ``Subject.signs``; it finds nothing in a file without one of each group.
        about: returns the whole page.
        once: whether each place is rewritten once per run, although the result would be found again.
        is_patch: whether it is a semantic patch.
        skips: whether it was requested, but did not check a file because of its old format.
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
    is_patch: bool = False
    skips: Callable[[Subject], bool] = skips_nothing

    @property
    def page(self) -> str:
        """The whole page in ``caffefix explain``."""
        return self.about()

    @property
    def summary(self) -> str:
        """The first line of its page."""
        return self.page.partition("\n")[0]

    def may_find(self, subject: Subject) -> bool:
        """Whether it is worth running the fixer on a file."""
        return not any(map(subject.signs.isdisjoint, self.signs))


def _of_module(
    name: str, runs_in: int, changes: tuple[str, ...], family: bool, folder: str, *signs: tuple[str, ...]
) -> Fixer:
    """A fixer whose module is imported when its findings or its page are first needed."""

    def find(subject: Subject) -> Iterator[Finding]:
        module = _module(folder, name)
        found = module.find(subject)
        return _filled_in(found) if getattr(module, "VALUES", False) else found

    def about() -> str:
        from inspect import cleandoc

        return cleandoc(_module(folder, name).__doc__ or "")

    given = tuple(filter(None, signs))
    return Fixer(
        name=name,
        runs_in=Pass(runs_in),
        find=find,
        changes=changes,
        needs_family=family,
        group=FOLDERS[folder],
        opt_in=False,
        signs=given,
        about=about,
    )


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
    """What the present fixers declare: from the index, or from a module that was edited since."""
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
    """The files of the present fixers, by name."""
    return sorted((path for path in _sources() if os.path.basename(path)[0] != "_"), key=name_of)


def name_of(path: str) -> str:
    """The name of the fixer in a file."""
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
