"""The reports of a repair: one goes to the screen, any number to files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

from caffefix._startup.records import replace
from caffefix.commands._shared.errors import misuse
from caffefix.commands._shared.output import colour, say, show, width
from caffefix.reports.formats import NAMES, TEXT, renderer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.reports.report import Report, Setting
    from caffefix.results import FileResult


class Wanted:
    """The reports that a command line requests.

    Args:
        formats: ``NAME`` or ``NAME=FILE``, each once; the one without a file goes to the screen, which shows
            text by default.
        output: the file for the report without one; empty for the screen.
    """

    def __init__(self, formats: Sequence[str], output: str) -> None:
        self.files: list[tuple[str, str]] = []
        named: list[str] = []
        for item in formats:
            name, separator, path = item.partition("=")
            if name not in NAMES:
                raise misuse(f"there is no format {name!r}; the formats are {', '.join(NAMES)}")
            if separator and path not in ("", "-"):
                self.files.append((name, path))
            elif separator and not path:
                raise misuse(f"--format {item}: no file is named after =")
            else:
                named.append(name)
        if len(named) > 1:
            raise misuse(
                f"{' and '.join(named)}: only one format can go to the screen; give the others a file: "
                f"--format {named[1]}=FILE"
            )
        self.screen = named[0] if named else "text"
        if output and output != "-":
            self.files.append((self.screen, output))
            self.screen = "text"
        if len({path for _, path in self.files}) < len(self.files):
            raise misuse("two reports cannot go to the same file")

    def needs(self, name: str) -> bool:
        """Whether a report needs the results to contain something that they do not contain by default."""
        return any(name in renderer(form).NEEDS for form in (self.screen, *(form for form, _ in self.files)))

    @property
    def is_text(self) -> bool:
        """Whether the screen's report is for people: diffs and failures then go to separate streams."""
        return self.screen in TEXT


def report(wanted: Wanted, results: Iterable[FileResult], setting: Setting, *, quiet: bool) -> None:
    """Write all reports, each file's part as soon as the file is done.

    Args:
        wanted: the reports.
        results: the results of the files.
        setting: what reports contain; with ``diffs``, the run is a dry run.
        quiet: whether standard output is used for something else.

    Raises:
        FileError: a report's file cannot be written.
    """
    screen = _Screen(wanted, setting, quiet)
    if not wanted.files:
        _write(screen, (), results)
        return
    from contextlib import ExitStack

    from caffefix.zoo.report_file import ReportFile

    with ExitStack() as stack:
        files = [
            (renderer(form)(setting), stack.enter_context(ReportFile(path)).write) for form, path in wanted.files
        ]
        _write(screen, files, results)


def _write(
    screen: _Screen, files: Sequence[tuple[Report, Callable[[str], None]]], results: Iterable[FileResult]
) -> None:
    for made, put in files:
        put(made.begin())
    screen.begin()
    for result in results:
        screen.add(result)
        for made, put in files:
            put(made.add(result))
    screen.end()
    for made, put in files:
        put(made.end())


class _Screen:
    """The report on standard output, or on standard error where standard output is used for something else."""

    def __init__(self, wanted: Wanted, setting: Setting, quiet: bool) -> None:
        self._is_text = wanted.is_text
        self._shows_diffs = wanted.is_text and setting.diffs
        self._stream = sys.stderr if quiet or self._shows_diffs else sys.stdout
        coloured = wanted.is_text and colour(self._stream)
        self._report: Report = renderer(wanted.screen)(
            replace(setting, colour=coloured, width=width(self._stream))
        )

    def begin(self) -> None:
        say(self._stream, self._report.begin())

    def add(self, result: FileResult) -> None:
        if self._shows_diffs:
            show(result.diff)
        target = sys.stderr if self._is_text and result.status.failed else self._stream
        say(target, self._report.add(result))

    def end(self) -> None:
        say(self._stream, self._report.end())
