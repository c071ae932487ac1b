"""The reports of a repair: one goes to the screen, any number to files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

from caffefix._startup.records import replace
from caffefix.commands._shared.errors import misuse
from caffefix.commands._shared.output import colour, say, width, write
from caffefix.reports.formats import NAMES, TEXT, renderer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from caffefix.commands._shared.pager import Pager
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


def report(
    wanted: Wanted,
    results: Iterable[FileResult],
    setting: Setting,
    *,
    quiet: bool,
    paged: Pager | None = None,
    form: type[Report] | None = None,
) -> None:
    """Write all reports, each file's part as soon as the file is done.

    Args:
        wanted: the reports.
        results: the results of the files.
        setting: what reports contain; with ``diffs``, the run is a dry run.
        quiet: whether standard output is used for something else.
        paged: shows the screen's report; it is closed at the end.
        form: of the screen's report, if it is not the one that is requested.

    Raises:
        FileError: a report's file cannot be written.
        PagerClosed: the reader has left the pager.
    """
    from contextlib import ExitStack

    with ExitStack() as stack:
        if paged is not None:
            stack.callback(paged.close)
        screen = _Screen(wanted, setting, form or _form(wanted.screen, setting), quiet, paged)
        files = []
        for name, path in wanted.files:
            from caffefix.zoo.report_file import ReportFile

            files.append((renderer(name)(setting), stack.enter_context(ReportFile(path)).write))
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


# For more files than this, text is an overview.
_MANY = 50


def _form(name: str, setting: Setting) -> type[Report]:
    """The class of the screen's report."""
    in_detail = setting.diffs or setting.verbose or setting.unsafe or setting.delta
    if name == "text" and setting.files > _MANY and not in_detail:
        from caffefix.reports.as_overview import Overview

        return Overview
    return renderer(name)


class _Screen:
    """The report on standard output, or on standard error where standard output is used for something else.

    On a terminal, what is found in a file comes before its diff, which it explains.
    """

    def __init__(
        self, wanted: Wanted, setting: Setting, form: type[Report], quiet: bool, paged: Pager | None
    ) -> None:
        self._is_text = wanted.is_text
        self._shows_diffs = wanted.is_text and setting.diffs
        self._stream = sys.stderr if quiet or self._shows_diffs else sys.stdout
        self._pager = paged
        coloured = wanted.is_text and colour(self._stream)
        setting = replace(setting, colour=coloured, width=width(self._stream), terminal=self._stream.isatty())
        self._report: Report = form(setting)

    def begin(self) -> None:
        self._put(self._report.begin(), self._stream)

    def add(self, result: FileResult) -> None:
        failed = self._is_text and result.status.failed
        self._put(self._report.add(result), sys.stderr if failed else self._stream)
        if self._shows_diffs and result.diff:
            self._show(result.diff)

    def end(self) -> None:
        self._put(self._report.end(), self._stream)

    def _put(self, text: str, stream: Any) -> None:
        if self._pager is not None and text:
            self._pager.write(text)
        else:
            say(stream, text)

    def _show(self, diff: bytes) -> None:
        """Show a diff: unchanged for programs; in colours and visible characters on a terminal."""
        if not sys.stdout.isatty():
            write(sys.stdout.buffer, diff)
            return
        from caffefix.reports.as_text import colored, diff_text, plain

        self._put(diff_text(diff, colored if colour(sys.stdout) else plain), sys.stdout)
