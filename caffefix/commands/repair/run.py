"""``caffefix PATH…``: find and repair. Click is not imported here; the options are in ``options.py``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator

from caffefix._startup.records import dataclass, replace
from caffefix.commands._shared.configuration import configuration, patches_of
from caffefix.commands._shared.errors import fail, misuse
from caffefix.commands._shared.files import Handover, file_filter, paths_of, run_options
from caffefix.commands._shared.orderly import Ended
from caffefix.commands._shared.output import colour, say, show, use_colour, write
from caffefix.commands.repair.next_line import NextLine
from caffefix.commands.repair.reporting import Wanted, report
from caffefix.syntax.source import visible
from caffefix.zoo.discover import SUFFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from caffefix.commands._shared.baselines import Baselines
    from caffefix.evidence.logs.evidence import LogEvidence
    from caffefix.reports.report import Setting
    from caffefix.results import FileResult, Gate
    from caffefix.zoo.config import Configuration
    from caffefix.zoo.run import FileFilter
    from caffefix.zoo.run_options import RunOptions
    from caffefix.zoo.work import Repairing


def repair(**options: Any) -> int:
    """Repair files and report; return the exit status. The arguments are the options of ``options.py``."""
    if options["color"]:
        use_colour(options["color"])
    return _repair(line=NextLine(options), **options)


def _repair(
    paths: tuple[str, ...],
    dry_run: bool,
    check: bool,
    fail_on: str | None,
    baseline: str,
    prune: bool,
    exit_zero: bool,
    patches: tuple[str, ...],
    roots: tuple[str, ...],
    delta: bool,
    show_unsafe: bool,
    log: str | None,
    notes: bool,
    statistics: bool,
    formats: tuple[str, ...],
    output_file: str,
    docs_url: str,
    stdin_filename: str,
    quiet: bool,
    verbose: bool,
    no_pager: bool,
    interactive: bool,
    ask_again: bool,
    line: NextLine,
    **options: Any,
) -> int:
    """Read the command line, and do the job."""
    from caffefix.engine.select import page
    from caffefix.reports.report import Setting
    from caffefix.zoo.work import Repairing

    wanted = Wanted(formats, output_file)
    in_force = configuration(**options)
    paths = paths_of(paths, **options)
    evidence = _evidence(log, paths, roots) if log is not None else None
    if interactive and (dry_run or check or statistics or wanted.files or wanted.screen != "text"):
        raise misuse("--interactive writes what you choose, and reports as text: leave out the other options")
    if interactive and (paths == ("-",) or options["files_from"] == "-"):
        raise misuse("--interactive reads your answers from standard input: give files")
    if quiet and verbose:
        raise misuse("--quiet and --verbose cannot both be given")
    if statistics and (wanted.files or wanted.screen not in ("text", "json")):
        raise misuse("--statistics can only be shown as text or json, on standard output")
    handover = Handover(paths, writing=not dry_run and not check, notes=notes, **options)
    if interactive and handover.steps:
        raise misuse("--interactive writes files: choose first, and commit then")
    writing = not (dry_run or check or statistics or handover.steps)
    work = Repairing(
        delta=delta or wanted.needs("delta"),
        fixes=wanted.needs("fixes"),
        steps=handover.steps,
        forks=handover.forks,
        log=evidence,
        patches=patches_of(patches),
    )
    gate = _gate(fail_on, exit_zero=exit_zero, check=check)
    setting = Setting(
        notes=notes, diffs=dry_run, delta=delta, docs=docs_url, gate=gate, page=page, unsafe=show_unsafe,
        quiet=quiet, verbose=verbose,
    )  # fmt: skip
    if not (statistics or handover.steps):
        setting = replace(setting, line=line)
    going = run_options(writing, roots, **options)
    job = _Job(
        paths=paths,
        stdin_filename=stdin_filename,
        configuration=in_force,
        work=work,
        run_options=going,
        file_filter=file_filter(**options),
        setting=setting,
        wanted=wanted,
        statistics=statistics,
        baselines=_baselines(in_force, baseline, check=check, prune=prune),
        prune=prune,
        paged=not no_pager,
        interactive=interactive,
        ask_again=ask_again,
        must_find=not options["changed_since"] and options["files_from"] is None,
    )
    return _run(job, handover)


@dataclass(frozen=True, slots=True)
class _Job:
    """A parsed command line."""

    paths: tuple[str, ...]
    stdin_filename: str
    configuration: Configuration
    work: Repairing
    run_options: RunOptions
    file_filter: FileFilter
    setting: Setting
    wanted: Wanted
    statistics: bool
    baselines: Baselines | None
    prune: bool
    paged: bool
    interactive: bool
    ask_again: bool
    must_find: bool

    @property
    def is_filter(self) -> bool:
        """Whether the repaired file goes to standard output."""
        return self.paths == ("-",) and self.run_options.writing


def _run(job: _Job, handover: Handover) -> int:
    """Do the job; return the exit status. However it ends, each file is unchanged or completely repaired."""
    from caffefix.zoo.config_file import ConfigError
    from caffefix.zoo.files import FileError
    from caffefix.zoo.git import GitError

    try:
        with handover:
            results, number = _results(job, handover)
            job = replace(job, setting=replace(job.setting, files=number))
            if job.baselines is not None:
                results = job.baselines.of(results)
            counted = _Counted(results, job.setting.gate)
            if job.statistics:
                _statistics(counted, job)
            else:
                _report(job, counted)
            if job.baselines is not None:
                say(sys.stderr, job.baselines.conclude(prune=job.prune))
            handover.conclude()
        for trouble, files in counted.troubles.items():
            rest = "1 file is" if files == 1 else f"{files} files are"
            say(sys.stderr, f"warning: {trouble}; {rest} judged by the known forks instead\n")
        if counted.skipped:
            say(sys.stderr, f"warning: {_skipped(counted.skipped)}\n")
        if not number and job.must_find:
            fail(_nothing_found(job.paths))
        return counted.status
    except (ConfigError, FileError, GitError) as error:
        say(sys.stderr, f"error: {error}\n")
        return 2
    except (KeyboardInterrupt, Ended) as end:
        words = end.words if isinstance(end, Ended) else "interrupted"
        say(sys.stderr, f"\n{handover.interrupted(words)}\n")
        return end.status if isinstance(end, Ended) else 130


def _report(job: _Job, counted: _Counted) -> None:
    """Report to the screen, in a pager if diffs are shown there, and to files."""
    setting, paged, form = job.setting, None, None
    if not setting.files and job.must_find:
        setting = replace(setting, quiet=True)  # an error says more than "0 files"
    if job.interactive:
        from caffefix.commands.repair.interactive.text import Chosen

        form = Chosen
    elif job.paged and job.setting.diffs and job.wanted.is_text:
        from caffefix.commands._shared.pager import pager

        paged = pager()
    report(job.wanted, counted, setting, quiet=job.is_filter, paged=paged, form=form)


def _skipped(files: int) -> str:
    what = f"{files} files of an old format were" if files > 1 else "1 file of an old format was"
    return f"{what} not checked by --patch: migrate first (--select legacy-v0-layers,legacy-v1-layers)"


def _nothing_found(paths: tuple[str, ...]) -> str:
    where = " or ".join(map(visible, paths)) if len(paths) < 4 else f"the {len(paths)} paths"
    return (
        f"no prototxt file is found in {where}: looked for {', '.join('*' + suffix for suffix in SUFFIXES)} "
        "that the configuration, .gitignore and .caffefixignore do not exclude"
    )


def _results(job: _Job, handover: Handover) -> tuple[Iterable[FileResult], int]:
    """The results of the files, as they arrive, and their number."""
    if job.paths != ("-",):
        from caffefix.zoo.run import run

        running = run(
            job.paths, job.configuration, job.work, handover.run_options(job.run_options), job.file_filter
        )
        if running.trouble:
            say(sys.stderr, f"warning: {running.trouble}\n")
        if job.interactive:
            from caffefix.commands.repair.interactive.start import started

            asking = started(running, job.work, job.setting, again=job.ask_again)
            return handover.of(asking, bar=False), len(running)
        return handover.of(running, bar=not (job.setting.quiet or job.setting.diffs)), len(running)
    from caffefix.zoo.family import Families
    from caffefix.zoo.files import standard_input
    from caffefix.zoo.one_file import run_data

    data = standard_input()
    result = run_data(job.configuration.of(job.stdin_filename), data, job.work, Families(job.run_options.roots))
    if job.is_filter:
        write(sys.stdout.buffer, result.new if result.new is not None else data)
    return [result], 1


def _gate(fail_on: str | None, *, exit_zero: bool, check: bool) -> Gate:
    """What determines the exit status."""
    from caffefix.results import FailOn, Gate

    if exit_zero and fail_on not in (None, "never"):
        raise misuse("--exit-zero and --fail-on cannot both be given")
    on = FailOn.NEVER if exit_zero else FailOn(fail_on) if fail_on else None
    return Gate(on, check)


def _baselines(in_force: Configuration, path: str, *, check: bool, prune: bool) -> Baselines | None:
    """The baselines that a check goes by."""
    if prune and not path:
        raise misuse("--prune is for the file that --baseline names")
    if path and not check:
        raise misuse("--baseline is for --check: a repair fixes what it can, whatever a baseline records")
    if not check:
        return None
    from caffefix.commands._shared.baselines import Baselines

    if not path:
        return Baselines(in_force)
    from caffefix.commands._shared.baseline import BaselineError, load

    try:
        return Baselines(in_force, load(path))
    except BaselineError as error:
        fail(str(error))


def _evidence(log: str, paths: tuple[str, ...], roots: tuple[str, ...]) -> LogEvidence:
    """What a log shows of the given files."""
    from caffefix.commands.repair.evidence import evidence

    return evidence(log, paths, roots)


class _Counted:
    """Passes results on to a report, counts them and determines the exit status."""

    def __init__(self, results: Iterable[FileResult], gate: Gate) -> None:
        self._results = results
        self._gate = gate
        self.files = self.failed = self.skipped = self.status = 0
        self.troubles: Counter[str] = Counter()

    def __iter__(self) -> Iterator[FileResult]:
        for result in self._results:
            self.files += 1
            self.failed += result.status.failed
            self.skipped += bool(result.skipped)
            if result.trouble:
                self.troubles[result.trouble] += 1
            self.status = max(self.status, self._gate.status(result))
            yield result


def _statistics(counted: _Counted, job: _Job) -> None:
    """Write how often each finding occurs."""
    from caffefix.reports import as_text
    from caffefix.reports.closing import Summary
    from caffefix.reports.statistics import Statistics

    notes = job.setting.notes
    summary, statistics = Summary(), Statistics(notes=notes)
    diffs = job.setting.diffs and job.wanted.screen == "text"
    stream = sys.stderr if diffs else sys.stdout
    paint = as_text.colored if colour(stream) else as_text.plain
    for result in counted:
        summary.add(result)
        statistics.add(result)
        if diffs:
            show(result.diff)
        if result.status.failed:
            say(sys.stderr, as_text.render_file(result, job.setting, paint))
    if job.wanted.screen == "json":
        say(stream, statistics.json(counted.files, counted.failed))
    else:
        say(stream, statistics.text(paint) + summary.render(job.setting))
