"""The command line: options in, engine called, report out, exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import click

from caffefix import __version__


class _Group(click.Group):
    """``caffefix PATH…`` repairs; ``caffefix COMMAND`` does something else."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else "--help"
        if first in self.commands and os.path.lexists(first):
            raise click.UsageError(
                f"{first!r} is a command and a path; write ./{first} for the path, or run elsewhere", ctx
            )
        if first not in self.commands and first not in ("--help", "-h", "--version"):
            args = ["repair", *args]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        repairing = self.commands["repair"]
        with click.Context(repairing, info_name=ctx.info_name) as inner:
            repairing.format_help(inner, formatter)
        with formatter.section("Commands (instead of paths)"):
            rows = [(n, self.commands[n].get_short_help_str(80)) for n in sorted(self.commands) if n != "repair"]
            formatter.write_dl([*rows, ("--version", "Show the version and exit.")])


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="caffefix")
def main() -> None:
    """Repair Caffe prototxt files, and prove each repair."""


def _names(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name.strip() for item in value for name in item.split(",") if name.strip())
    if value and not names:
        raise click.BadParameter("no name is given", ctx, param)
    return names


class _Repair(click.Command):
    """The command that needs no name: usage messages do not show one."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        name = parent.info_name if parent is not None else info_name
        return super().make_context(name, args, None, **extra)


@main.command(cls=_Repair, hidden=True, options_metavar="[OPTIONS]", short_help="Repair files.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--dry-run",
    "--diff",
    is_flag=True,
    help="Write no file, but the diff to standard output.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file would change.")
@click.option("--unsafe", is_flag=True, help="Also apply fixes that change what a working net computes.")
@click.option("--select", multiple=True, callback=_names, metavar="NAMES", help="Look for these findings only.")
@click.option("--ignore", multiple=True, callback=_names, metavar="NAMES", help="Leave these findings out.")
@click.option("--dialect", default="", metavar="FORK", help="The fork of Caffe that the files are for.")
@click.option(
    "--target", type=click.Choice(["caffe", "caffe-old"]), default="caffe", help="caffe-old: of before 2016."
)
@click.option("--notes", is_flag=True, help="Show notes, too.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Report."
)
@click.option("--stdin-filename", default="<stdin>", metavar="NAME", help="What to call standard input (-).")
def repair(
    paths: tuple[str, ...],
    dry_run: bool,
    check: bool,
    unsafe: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    dialect: str,
    target: str,
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
    from caffefix.zoo.run import run, run_data

    selection = Selection(select, ignore, unsafe)
    try:
        selection.check()
    except UnknownNameError as error:
        raise click.UsageError(str(error)) from None
    if "-" in paths and len(paths) > 1:
        raise click.UsageError("- stands alone: standard input and files cannot be mixed")
    _check_dialect(dialect)
    request = Request(selection, Options(dialect=dialect, target=target))
    results: Iterable[FileResult]
    if paths == ("-",):
        data = sys.stdin.buffer.read()
        result = run_data(stdin_filename, data, request)
        results = [result]
        if not dry_run and not check:
            _write(sys.stdout.buffer, result.new if result.new is not None else data)
    else:
        results = run(paths, request, writing=not dry_run and not check)
    quiet = paths == ("-",) and not dry_run and not check  # standard output is the file's
    try:
        sys.exit(_report(results, form, notes=notes, dry_run=dry_run, check=check, quiet=quiet))
    except KeyboardInterrupt:
        _say(sys.stderr, "\ninterrupted: each file is as it was or repaired whole; run again to go on\n")
        sys.exit(130)


def _check_dialect(name: str) -> None:
    """Refuse the name of a fork that nobody knows."""
    if not name:
        return
    from difflib import get_close_matches

    from caffefix.caffe.schema import load

    forks = load().forks
    if name not in forks:
        near = get_close_matches(name, forks, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(forks))}"
        raise click.UsageError(f"there is no fork {name!r}; {hint}")


def _report(results: Iterable[Any], form: str, *, notes: bool, dry_run: bool, check: bool, quiet: bool) -> int:
    """Write the report; the exit status."""
    from caffefix.reports import as_json, as_text
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
            _say(stream, part)
    else:
        paint = as_text.colored if _colour(stream) else as_text.plain
        for result in counted():
            if dry_run:
                _write(sys.stdout.buffer, result.diff)
            target = sys.stderr if result.status.failed else stream
            _say(target, as_text.render_file(result, notes=notes, paint=paint))
        _say(stream, summary.render(notes=notes))
    if failed:
        return 2
    return 1 if check and changing else 0


@main.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Report.")
def fixers(form: str) -> None:
    """List what caffefix finds."""
    from caffefix.fixers import fixers as registered
    from caffefix.reports.as_text import render_fixers

    if form == "json":
        import json

        rows = [{"name": f.name, "phase": f.phase.name.lower(), "summary": f.summary} for f in registered()]
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        table = [(f.name, f.phase.name.lower(), f.summary) for f in registered()]
        _say(sys.stdout, render_fixers(table))


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Report.")
def dialects(files: tuple[str, ...], form: str) -> None:
    """Tell which forks of Caffe accept a file, and what the others stop at."""
    from caffefix.caffe.dialect import judge
    from caffefix.reports.dialect_text import as_json, as_text
    from caffefix.syntax.parse import PrototxtError, parse
    from caffefix.syntax.source import Source
    from caffefix.zoo.discover import discover
    from caffefix.zoo.files import FileError, read

    failed = False
    rows = []
    for path in discover(files):
        try:
            source = Source(path, read(path))
            verdict = judge(parse(source.text))
        except (FileError, PrototxtError) as error:
            reason = error.render(source) if isinstance(error, PrototxtError) else str(error)
            _say(sys.stderr, f"error: {reason}\n")
            failed = True
            continue
        if form == "json":
            rows.append(as_json(source, verdict))
        else:
            _say(sys.stdout, as_text(source, verdict))
    if form == "json":
        import json

        click.echo(json.dumps({"version": 1, "files": rows}, indent=1, ensure_ascii=False))
    sys.exit(2 if failed else 0)


@main.command()
@click.argument("name")
def explain(name: str) -> None:
    """Explain a finding: what it is, why it matters, what the fix does."""
    from caffefix.engine.select import Selection, UnknownNameError

    selection = Selection(select=(name,))
    try:
        selection.check()
    except UnknownNameError as error:
        raise click.UsageError(str(error)) from None
    for fixer in selection.fixers():
        _say(sys.stdout, f"# {fixer.name}\n\n{fixer.page}\n")


def _write(stream: BinaryIO, data: bytes) -> None:
    try:
        sys.stdout.flush()
        stream.write(data)
        stream.flush()
    except BrokenPipeError:
        _deafen(stream)


def _say(stream: Any, text: str) -> None:
    try:
        stream.write(_printable(text, stream))
        stream.flush()
    except BrokenPipeError:
        _deafen(stream)


def _deafen(stream: Any) -> None:
    """Nobody listens any more (``| head``): what is under way is finished all the same."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _colour(stream: Any) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def _printable(text: str, stream: Any) -> str:
    """Text that a stream of any encoding takes; file names may hold any bytes."""
    encoding = stream.encoding or "utf-8"
    return (
        text.encode("utf-8", "surrogateescape")
        .decode("utf-8", "replace")
        .encode(encoding, "replace")
        .decode(encoding)
    )
