"""``caffefix PATH…``: find and repair."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from caffefix.cli._options import configuration, configured, with_patches
from caffefix.cli._output import colour, say, write
from caffefix.cli._reports import Wanted, report
from caffefix.reports.formats import NAMES

if TYPE_CHECKING:
    from caffefix.engine.repair import Request
    from caffefix.evidence.logs.evidence import LogEvidence
    from caffefix.reports.report import Setting


class _Repair(click.Command):
    """The command that needs no name: usage messages do not show one."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        name = parent.info_name if parent is not None else info_name
        return super().make_context(name, args, None, **extra)


@click.command("repair", cls=_Repair, hidden=True, options_metavar="[OPTIONS]", short_help="Repair files.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--dry-run",
    "--diff",
    is_flag=True,
    help="Write no file, but the diff to standard output.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file would change.")
@click.option(
    "--patch", "patches", multiple=True, metavar="PATCH",
    help="Look for this semantic patch: a file, a folder of them, or the name of one that is shipped.",
)  # fmt: skip
@click.option(
    "--unsafe/--no-unsafe", default=None, help="Also apply fixes that change what a working net computes."
)
@click.option(
    "--root", "roots", multiple=True, type=click.Path(exists=True, file_okay=False), metavar="DIR",
    help="Folder that paths in solvers start from.",
)  # fmt: skip
@configured
@click.option("--delta", is_flag=True, help="Show what changes in the meaning, layer by layer.")
@click.option("--log", "log", metavar="TRAIN.LOG", help="What Caffe wrote when it trained them: evidence.")
@click.option("--notes", is_flag=True, help="Show notes, too.")
@click.option("--statistics", is_flag=True, help="Show how often each finding was met, not each one.")
@click.option(
    "--format", "formats", multiple=True, metavar="NAME[=FILE]",
    help=f"Report, any number of them: {', '.join(NAMES)}. One goes to standard output, the others to files.",
)  # fmt: skip
@click.option("--output-file", default="", metavar="FILE", help="Where the report without a FILE of its own goes.")
@click.option(
    "--docs-url", envvar="CAFFEFIX_DOCS_URL", default="", metavar="URL",
    help="Folder with the findings' pages, for links in reports.",
)  # fmt: skip
@click.option("--stdin-filename", default="<stdin>", metavar="NAME", help="What to call standard input (-).")
def command(
    paths: tuple[str, ...],
    dry_run: bool,
    check: bool,
    patches: tuple[str, ...],
    roots: tuple[str, ...],
    delta: bool,
    log: str | None,
    notes: bool,
    statistics: bool,
    formats: tuple[str, ...],
    output_file: str,
    docs_url: str,
    stdin_filename: str,
    **options: Any,
) -> None:
    """Find what is wrong with Caffe prototxt files, and repair it in place.

    PATH is a file, a folder to search, or - for standard input. Only safe fixes are applied,
    and only when they are proved. NAMES are names or globs of findings, separated by commas;
    see `caffefix fixers`. What holds for a whole zoo is written down in caffefix.toml or
    pyproject.toml; see `caffefix config`. A comment `# caffefix: ignore[NAME] reason` silences a
    finding where it stands. With --patch, nothing else is looked for unless it is selected, too.

    Exit status: 0 done; 1 --check found something to change; 2 a file was not read, parsed,
    proved or written (the others are done), or wrong usage; 130 interrupted.
    """
    from caffefix.engine.select import page
    from caffefix.reports.report import Setting
    from caffefix.results import FileResult
    from caffefix.zoo.config_file import ConfigError
    from caffefix.zoo.family import Families
    from caffefix.zoo.files import FileError
    from caffefix.zoo.run import repairing, run, run_data

    wanted = Wanted(formats, output_file)
    in_force = configuration(**options)
    if "-" in paths and len(paths) > 1:
        raise click.UsageError("- stands alone: standard input and files cannot be mixed")
    _check_log(log, paths)
    if statistics and (wanted.files or wanted.screen not in ("text", "json")):
        raise click.UsageError("--statistics is told as text or json, on standard output")
    adjust = _adjusted(_evidence(log), delta=delta or wanted.needs("delta"), fixes=wanted.needs("fixes"))
    patched = with_patches(patches)
    work = repairing(lambda request: adjust(patched(request)))
    results: Iterable[FileResult]
    try:
        if paths == ("-",):
            of_file = in_force.of(stdin_filename)
            data = sys.stdin.buffer.read()
            result = run_data(of_file, data, work, Families(roots))
            results = [result]
            if not dry_run and not check:
                write(sys.stdout.buffer, result.new if result.new is not None else data)
        else:
            results = run(paths, in_force, work, writing=not dry_run and not check, roots=roots)
    except ConfigError as error:
        say(sys.stderr, f"error: {error}\n")
        sys.exit(2)
    quiet = paths == ("-",) and not dry_run and not check  # standard output is the file's
    try:
        counted = _Count(results)
        setting = Setting(notes=notes, diffs=dry_run, delta=delta, docs=docs_url, page=page)
        if statistics:
            _statistics(counted, wanted.screen, setting, quiet=quiet, writing=not dry_run and not check)
        else:
            report(wanted, counted, setting, quiet=quiet)
        sys.exit(counted.status(check))
    except FileError as error:
        say(sys.stderr, f"error: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        say(sys.stderr, "\ninterrupted: each file is as it was or repaired whole; run again to go on\n")
        sys.exit(130)


def _check_log(log: str | None, paths: tuple[str, ...]) -> None:
    """A log is of one net: its layers say nothing of another's with the same names."""
    if log is None:
        return
    if log == "-" == paths[0]:
        raise click.UsageError("- is standard input: it cannot be both the log and the file")
    if len(paths) > 1 or os.path.isdir(paths[0]):
        raise click.UsageError("--log is evidence for the net that it is of: give that file alone")


def _evidence(log: str | None) -> LogEvidence | None:
    """What a log shows; a log that cannot be read ends the run before it has begun."""
    if log is None:
        return None
    from caffefix.evidence.logs.evidence import evidence_of
    from caffefix.zoo import logs
    from caffefix.zoo.files import FileError

    try:
        return evidence_of(logs.read(log))
    except FileError as error:
        say(sys.stderr, f"error: {error}\n")
        sys.exit(2)


def _adjusted(log: LogEvidence | None, *, delta: bool, fixes: bool) -> Callable[[Request], Request]:
    """What the command line adds to what is in force for each file."""
    return lambda request: replace(request, delta=delta, fixes=fixes, options=replace(request.options, log=log))


class _Count:
    """Results on their way to a report: how many there are, and what the exit status comes to."""

    def __init__(self, results: Iterable[Any]) -> None:
        self.results = results
        self.files = self.failed = self.changing = 0

    def __iter__(self) -> Iterator[Any]:
        from caffefix.results import Status

        for result in self.results:
            self.files += 1
            self.failed += result.status.failed
            self.changing += result.status is Status.WOULD_CHANGE
            yield result

    def status(self, check: bool) -> int:
        return 2 if self.failed else int(check and self.changing > 0)


def _statistics(counted: _Count, form: str, setting: Setting, *, quiet: bool, writing: bool) -> None:
    """Write how often each finding was met."""
    from caffefix.reports import as_text
    from caffefix.reports.statistics import Statistics

    summary, statistics = as_text.Summary(), Statistics(notes=setting.notes)
    diffs = setting.diffs and form == "text"
    stream = sys.stderr if diffs or quiet else sys.stdout
    paint = as_text.colored if colour(stream) else as_text.plain
    for result in counted:
        summary.add(result)
        statistics.add(result)
        if diffs:
            write(sys.stdout.buffer, result.diff)
        if result.status.failed:
            say(sys.stderr, as_text.render_file(result, notes=setting.notes, paint=paint))
    if form == "json":
        say(stream, statistics.json(counted.files, counted.failed))
    else:
        say(stream, statistics.text(paint, writing=writing) + summary.render(notes=setting.notes))
