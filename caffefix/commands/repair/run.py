"""``caffefix PATH…``: find and repair. Click is not imported here; the options are in ``options.py``."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from caffefix._startup.records import dataclass
from caffefix.commands._shared.configuration import configuration, patches_of
from caffefix.commands._shared.errors import fail, misuse
from caffefix.commands._shared.files import Handover, file_filter, paths_of, run_options
from caffefix.commands._shared.orderly import Ended
from caffefix.commands._shared.output import colour, say, show, write
from caffefix.commands.repair.reporting import Wanted, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from caffefix.commands._shared.baseline import Baseline
    from caffefix.evidence.logs.evidence import LogEvidence
    from caffefix.reports.report import Setting
    from caffefix.results import FileResult, Gate
    from caffefix.zoo.config import Configuration
    from caffefix.zoo.run import FileFilter, Run
    from caffefix.zoo.run_options import RunOptions
    from caffefix.zoo.work import Repairing


def repair(**options: Any) -> int:
    """Repair files and report; return the exit status. The arguments are the options of ``options.py``."""
    if options["watch"]:
        from caffefix.commands.repair.watch import watch

        return watch(_repair, **options)
    return _repair(**options)


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
    again: Callable[..., Run] | None = None,
    **options: Any,
) -> int:
    """Do it once; ``again`` makes the run over the files instead of ``zoo.run``."""
    from caffefix.engine.select import page
    from caffefix.reports.report import Setting
    from caffefix.zoo.work import Repairing

    wanted = Wanted(formats, output_file)
    in_force = configuration(**options)
    paths = paths_of(paths, **options)
    _check_log(log, paths)
    if statistics and (wanted.files or wanted.screen not in ("text", "json")):
        raise misuse("--statistics can only be shown as text or json, on standard output")
    handover = Handover(paths, writing=not dry_run and not check, notes=notes, **options)
    writing = not (dry_run or check or statistics or handover.steps)
    work = Repairing(
        delta=delta or wanted.needs("delta"),
        fixes=wanted.needs("fixes"),
        steps=handover.steps,
        forks=handover.forks,
        log=_evidence(log),
        patches=patches_of(patches),
    )
    gate = _gate(fail_on, exit_zero=exit_zero, check=check)
    setting = Setting(
        notes=notes, diffs=dry_run, delta=delta, docs=docs_url, gate=gate, page=page, unsafe=show_unsafe
    )
    going = run_options(writing, roots, **options)
    known = _baseline(baseline, check=check, prune=prune)
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
        baseline=known,
        prune=prune,
        again=again,
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
    baseline: Baseline | None
    prune: bool
    again: Callable[..., Run] | None

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
            results = _results(job, handover)
            counted = _Counted(job.baseline.of(results) if job.baseline else results, job.setting.gate)
            if job.statistics:
                _statistics(counted, job)
            else:
                report(job.wanted, counted, job.setting, quiet=job.is_filter)
            if job.baseline is not None:
                _conclude(job.baseline, prune=job.prune)
            handover.conclude()
        for trouble, files in counted.troubles.items():
            rest = "1 file is" if files == 1 else f"{files} files are"
            say(sys.stderr, f"warning: {trouble}; {rest} judged by the known forks instead\n")
        if counted.skipped:
            say(sys.stderr, f"warning: {_skipped(counted.skipped)}\n")
        return counted.status
    except (ConfigError, FileError, GitError) as error:
        say(sys.stderr, f"error: {error}\n")
        return 2
    except (KeyboardInterrupt, Ended) as end:
        words = end.words if isinstance(end, Ended) else "interrupted"
        say(sys.stderr, f"\n{handover.interrupted(words)}\n")
        return end.status if isinstance(end, Ended) else 130


def _skipped(files: int) -> str:
    what = f"{files} files of an old format were" if files > 1 else "1 file of an old format was"
    return f"{what} not checked by --patch: migrate first (--select legacy-v0-layers,legacy-v1-layers)"


def _results(job: _Job, handover: Handover) -> Iterable[FileResult]:
    """The results of the files, as they arrive."""
    if job.paths != ("-",):
        from caffefix.zoo.run import run

        running = (job.again or run)(
            job.paths, job.configuration, job.work, handover.run_options(job.run_options), job.file_filter
        )
        if running.trouble:
            say(sys.stderr, f"warning: {running.trouble}\n")
        return handover.of(running)
    from caffefix.zoo.family import Families
    from caffefix.zoo.files import standard_input
    from caffefix.zoo.one_file import run_data

    data = standard_input()
    result = run_data(job.configuration.of(job.stdin_filename), data, job.work, Families(job.run_options.roots))
    if job.is_filter:
        write(sys.stdout.buffer, result.new if result.new is not None else data)
    return [result]


def _gate(fail_on: str | None, *, exit_zero: bool, check: bool) -> Gate:
    """What determines the exit status."""
    from caffefix.results import FailOn, Gate

    if exit_zero and fail_on not in (None, "never"):
        raise misuse("--exit-zero and --fail-on cannot both be given")
    on = FailOn.NEVER if exit_zero else FailOn(fail_on) if fail_on else None
    return Gate(on, check)


def _baseline(path: str, *, check: bool, prune: bool) -> Baseline | None:
    """The baseline that a check goes by."""
    if not path:
        if prune:
            raise misuse("--prune is for the file that --baseline names")
        return None
    if not check:
        raise misuse("--baseline is for --check: a repair fixes what it can, whatever a baseline records")
    from caffefix.commands._shared.baseline import BaselineError, load

    try:
        return load(path)
    except BaselineError as error:
        fail(str(error))


def _conclude(baseline: Baseline, *, prune: bool) -> None:
    """Say what the baseline has hidden, and remove from it what is gone if that is asked for."""
    pruned = baseline.prune() if prune else None
    if pruned:
        baseline.write()
    say(sys.stderr, baseline.told(pruned))


def _check_log(log: str | None, paths: tuple[str, ...]) -> None:
    """Refuse a log for several files: a log's layers say nothing about another net's layers of the same names."""
    if log is None:
        return
    if log == "-" in paths:
        raise misuse("- is standard input: it cannot be both the log and the file")
    if len(paths) != 1 or os.path.isdir(paths[0]):
        raise misuse("--log is evidence for one net only: give that net's file alone")


def _evidence(log: str | None) -> LogEvidence | None:
    """What a log shows; an unreadable log ends the run before it starts."""
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
    from caffefix.reports.statistics import Statistics

    notes = job.setting.notes
    summary, statistics = as_text.Summary(), Statistics(notes=notes)
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
        say(stream, statistics.text(paint) + summary.render(notes=notes))
