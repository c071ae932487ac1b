"""``caffefix PATH…``: find and repair."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from caffefix.cli._files import Handover, Sections, how, many_files, paths_of, which
from caffefix.cli._options import configuration, configured, patches_of
from caffefix.cli._output import colour, say, write
from caffefix.cli._reports import Wanted, report
from caffefix.reports.formats import NAMES

if TYPE_CHECKING:
    from caffefix.evidence.logs.evidence import LogEvidence
    from caffefix.reports.report import Setting


class _Repair(Sections):
    """The command that needs no name: usage messages do not show one."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        name = parent.info_name if parent is not None else info_name
        return super().make_context(name, args, None, **extra)


@click.command("repair", cls=_Repair, hidden=True, options_metavar="[OPTIONS]", short_help="Repair files.")
@click.argument("paths", nargs=-1, metavar="PATH...")
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
@many_files
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
    from caffefix.zoo.git import GitError
    from caffefix.zoo.one_file import run_data
    from caffefix.zoo.run import run
    from caffefix.zoo.work import Repairing

    wanted = Wanted(formats, output_file)
    in_force = configuration(**options)
    paths = paths_of(paths, **options)
    _check_log(log, paths)
    if statistics and (wanted.files or wanted.screen not in ("text", "json")):
        raise click.UsageError("--statistics is told as text or json, on standard output")
    writing = not dry_run and not check
    handover = Handover(paths, writing=writing, notes=notes, **options)
    work = Repairing(
        delta=delta or wanted.needs("delta"),
        fixes=wanted.needs("fixes"),
        stages=handover.stages,
        forks=handover.forks,
        log=_evidence(log),
        patches=patches_of(patches),
    )
    going = how(writing, roots, **options)
    quiet = paths == ("-",) and writing  # standard output is the file's
    results: Iterable[FileResult]
    try:
        with handover:
            if paths == ("-",):
                of_file = in_force.of(stdin_filename)
                data = sys.stdin.buffer.read()
                result = run_data(of_file, data, work, Families(roots))
                results = [result]
                if quiet:
                    write(sys.stdout.buffer, result.new if result.new is not None else data)
            else:
                results = handover.of(run(paths, in_force, work, handover.how(going), which(**options)))
            counted = _Count(results)
            setting = Setting(notes=notes, diffs=dry_run, delta=delta, docs=docs_url, page=page)
            if statistics:
                changing = writing and not handover.stages
                _statistics(counted, wanted.screen, setting, quiet=quiet, writing=changing)
            else:
                report(wanted, counted, setting, quiet=quiet)
            handover.conclude()
        sys.exit(counted.status(check))
    except (ConfigError, FileError, GitError) as error:
        say(sys.stderr, f"error: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        say(sys.stderr, f"\n{handover.interrupted()}\n")
        sys.exit(130)


def _check_log(log: str | None, paths: tuple[str, ...]) -> None:
    """A log is of one net: its layers say nothing of another's with the same names."""
    if log is None:
        return
    if log == "-" in paths:
        raise click.UsageError("- is standard input: it cannot be both the log and the file")
    if len(paths) != 1 or os.path.isdir(paths[0]):
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
