"""``caffefix PATH…``: find and repair."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from caffefix.cli._options import configuration, configured
from caffefix.cli._output import colour, say, write

if TYPE_CHECKING:
    from caffefix.engine.repair import Request
    from caffefix.evidence.logs.evidence import LogEvidence


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
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Report."
)
@click.option("--stdin-filename", default="<stdin>", metavar="NAME", help="What to call standard input (-).")
def command(
    paths: tuple[str, ...],
    dry_run: bool,
    check: bool,
    roots: tuple[str, ...],
    delta: bool,
    log: str | None,
    notes: bool,
    statistics: bool,
    form: str,
    stdin_filename: str,
    **options: Any,
) -> None:
    """Find what is wrong with Caffe prototxt files, and repair it in place.

    PATH is a file, a folder to search, or - for standard input. Only safe fixes are applied,
    and only when they are proved. NAMES are names or globs of findings, separated by commas;
    see `caffefix fixers`. What holds for a whole zoo is written down in caffefix.toml or
    pyproject.toml; see `caffefix config`. A comment `# caffefix: ignore[NAME] reason` silences a
    finding where it stands.

    Exit status: 0 done; 1 --check found something to change; 2 a file was not read, parsed,
    proved or written (the others are done), or wrong usage; 130 interrupted.
    """
    from caffefix.results import FileResult
    from caffefix.zoo.config_file import ConfigError
    from caffefix.zoo.family import Families
    from caffefix.zoo.run import repairing, run, run_data

    in_force = configuration(**options)
    if "-" in paths and len(paths) > 1:
        raise click.UsageError("- stands alone: standard input and files cannot be mixed")
    _check_log(log, paths)
    work = repairing(_adjusted(_evidence(log), delta or form == "json"))
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
        report = _statistics if statistics else _report
        sys.exit(report(results, form, notes=notes, dry_run=dry_run, check=check, quiet=quiet))
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


def _adjusted(log: LogEvidence | None, delta: bool) -> Callable[[Request], Request]:
    """What the command line adds to what is in force for each file."""
    return lambda request: replace(request, delta=delta, options=replace(request.options, log=log))


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


def _report(results: Iterable[Any], form: str, *, notes: bool, dry_run: bool, check: bool, quiet: bool) -> int:
    """Write the report; the exit status."""
    from caffefix.reports import as_json, as_text, delta_text

    counted = _Count(results)
    stream = sys.stderr if dry_run or quiet else sys.stdout
    if form == "json":
        stream = sys.stderr if quiet else sys.stdout
        for part in as_json.render(counted, notes=notes, diffs=dry_run):
            say(stream, part)
    else:
        summary = as_text.Summary()
        paint = as_text.colored if colour(stream) else as_text.plain
        for result in counted:
            summary.add(result)
            if dry_run:
                write(sys.stdout.buffer, result.diff)
            target = sys.stderr if result.status.failed else stream
            say(target, as_text.render_file(result, notes=notes, paint=paint))
            say(target, delta_text.render(result.delta))
        say(stream, summary.render(notes=notes))
    return counted.status(check)


def _statistics(results: Iterable[Any], form: str, *, notes: bool, dry_run: bool, check: bool, quiet: bool) -> int:
    """Write how often each finding was met; the exit status."""
    from caffefix.reports import as_text
    from caffefix.reports.statistics import Statistics

    counted = _Count(results)
    summary, statistics = as_text.Summary(), Statistics(notes=notes)
    diffs = dry_run and form == "text"
    stream = sys.stderr if diffs or quiet else sys.stdout
    paint = as_text.colored if colour(stream) else as_text.plain
    for result in counted:
        summary.add(result)
        statistics.add(result)
        if diffs:
            write(sys.stdout.buffer, result.diff)
        if result.status.failed:
            say(sys.stderr, as_text.render_file(result, notes=notes, paint=paint))
    if form == "json":
        say(stream, statistics.json(counted.files, counted.failed))
    else:
        say(stream, statistics.text(paint, writing=not dry_run and not check) + summary.render(notes=notes))
    return counted.status(check)
