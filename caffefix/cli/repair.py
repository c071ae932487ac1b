"""``caffefix PATH…``: find and repair."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from caffefix.cli._options import check_dialect, names
from caffefix.cli._output import colour, say, write

if TYPE_CHECKING:
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
@click.option("--unsafe", is_flag=True, help="Also apply fixes that change what a working net computes.")
@click.option("--select", multiple=True, callback=names, metavar="NAMES", help="Look for these findings only.")
@click.option("--ignore", multiple=True, callback=names, metavar="NAMES", help="Leave these findings out.")
@click.option("--dialect", default="", metavar="FORK", help="The fork of Caffe that the files are for.")
@click.option(
    "--target", type=click.Choice(["caffe", "caffe-old"]), default="caffe", help="caffe-old: of before 2016."
)
@click.option(
    "--root", "roots", multiple=True, type=click.Path(exists=True, file_okay=False), metavar="DIR",
    help="Folder that paths in solvers start from.",
)  # fmt: skip
@click.option("--delta", is_flag=True, help="Show what changes in the meaning, layer by layer.")
@click.option("--log", "log", metavar="TRAIN.LOG", help="What Caffe wrote when it trained them: evidence.")
@click.option("--notes", is_flag=True, help="Show notes, too.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Report."
)
@click.option("--stdin-filename", default="<stdin>", metavar="NAME", help="What to call standard input (-).")
def command(
    paths: tuple[str, ...],
    dry_run: bool,
    check: bool,
    unsafe: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    dialect: str,
    target: str,
    roots: tuple[str, ...],
    delta: bool,
    log: str | None,
    notes: bool,
    form: str,
    stdin_filename: str,
) -> None:
    """Find what is wrong with Caffe prototxt files, and repair it in place.

    PATH is a file, a folder to search, or - for standard input. Only safe fixes are applied,
    and only when they are proved. NAMES are names or globs of findings, separated by commas;
    see `caffefix fixers`.

    Exit status: 0 done; 1 --check found something to change; 2 a file was not read, parsed,
    proved or written (the others are done), or wrong usage; 130 interrupted.
    """
    from caffefix.engine.repair import Request
    from caffefix.engine.select import Selection, UnknownNameError
    from caffefix.findings import Options
    from caffefix.results import FileResult
    from caffefix.zoo.family import Families
    from caffefix.zoo.run import run, run_data

    selection = Selection(select, ignore, unsafe)
    try:
        selection.check()
    except UnknownNameError as error:
        raise click.UsageError(str(error)) from None
    if "-" in paths and len(paths) > 1:
        raise click.UsageError("- stands alone: standard input and files cannot be mixed")
    check_dialect(dialect)
    _check_log(log, paths)
    options = Options(dialect=dialect, target=target, log=_evidence(log))
    request = Request(selection, options, delta or form == "json")
    results: Iterable[FileResult]
    if paths == ("-",):
        data = sys.stdin.buffer.read()
        result = run_data(stdin_filename, data, request, Families(roots))
        results = [result]
        if not dry_run and not check:
            write(sys.stdout.buffer, result.new if result.new is not None else data)
    else:
        results = run(paths, request, writing=not dry_run and not check, roots=roots)
    quiet = paths == ("-",) and not dry_run and not check  # standard output is the file's
    try:
        sys.exit(_report(results, form, notes=notes, dry_run=dry_run, check=check, quiet=quiet))
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


def _report(results: Iterable[Any], form: str, *, notes: bool, dry_run: bool, check: bool, quiet: bool) -> int:
    """Write the report; the exit status."""
    from caffefix.reports import as_json, as_text, delta_text
    from caffefix.results import Status

    summary = as_text.Summary()
    failed = changing = False

    def counted() -> Iterator[Any]:
        nonlocal failed, changing
        for result in results:
            summary.add(result)
            failed |= result.status.failed
            changing |= result.status is Status.WOULD_CHANGE
            yield result

    stream = sys.stderr if dry_run or quiet else sys.stdout
    if form == "json":
        stream = sys.stderr if quiet else sys.stdout
        for part in as_json.render(counted(), notes=notes, diffs=dry_run):
            say(stream, part)
    else:
        paint = as_text.colored if colour(stream) else as_text.plain
        for result in counted():
            if dry_run:
                write(sys.stdout.buffer, result.diff)
            target = sys.stderr if result.status.failed else stream
            say(target, as_text.render_file(result, notes=notes, paint=paint))
            say(target, delta_text.render(result.delta))
        say(stream, summary.render(notes=notes))
    if failed:
        return 2
    return 1 if check and changing else 0
