"""``caffefix PATH…``: find and repair. Click is not imported here; the options are in ``_repair.py``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator

from caffefix.cli._configuration import configuration, patches_of
from caffefix.cli._errors import misuse
from caffefix.cli._files import Handover, how, paths_of, which
from caffefix.cli._output import colour, say, show, write
from caffefix.cli._reports import Wanted, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from caffefix.evidence.logs.evidence import LogEvidence
    from caffefix.reports.report import Setting


# What the options are that are not given, as in ``_repair.py``.
DEFAULTS: dict[str, Any] = {
    "dry_run": False,
    "check": False,
    "patches": (),
    "roots": (),
    "delta": False,
    "log": None,
    "notes": False,
    "statistics": False,
    "formats": (),
    "output_file": "",
    "docs_url": "",
    "stdin_filename": "<stdin>",
    "unsafe": None,
    "select": (),
    "ignore": (),
    "exclude": (),
    "dialect": None,
    "target": None,
    "from_scratch": None,
    "config": None,
    "no_config": False,
    "jobs": None,
    "files_from": None,
    "changed_since": "",
    "no_gitignore": False,
    "patch_dir": "",
    "commit": False,
    "split_by": None,
    "backup": "",
    "report_file": "",
    "no_cache": False,
    "cache_dir": "",
    "follow_links": False,
}


def repair(
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
) -> int:
    """Repair files and report; the exit status. The arguments are the options of ``_repair.py``."""
    from caffefix.engine.select import page
    from caffefix.reports.report import Setting
    from caffefix.results import FileResult
    from caffefix.zoo.config_file import ConfigError
    from caffefix.zoo.family import Families
    from caffefix.zoo.files import FileError, standard_input
    from caffefix.zoo.git import GitError
    from caffefix.zoo.one_file import run_data
    from caffefix.zoo.run import run
    from caffefix.zoo.work import Repairing

    wanted = Wanted(formats, output_file)
    in_force = configuration(**options)
    paths = paths_of(paths, **options)
    _check_log(log, paths)
    if statistics and (wanted.files or wanted.screen not in ("text", "json")):
        raise misuse("--statistics is told as text or json, on standard output")
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
                data = standard_input()
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
        return counted.status(check)
    except (ConfigError, FileError, GitError) as error:
        say(sys.stderr, f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        say(sys.stderr, f"\n{handover.interrupted()}\n")
        return 130


def _check_log(log: str | None, paths: tuple[str, ...]) -> None:
    """A log is of one net: its layers say nothing of another's with the same names."""
    if log is None:
        return
    if log == "-" in paths:
        raise misuse("- is standard input: it cannot be both the log and the file")
    if len(paths) != 1 or os.path.isdir(paths[0]):
        raise misuse("--log is evidence for the net that it is of: give that file alone")


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
            show(result.diff)
        if result.status.failed:
            say(sys.stderr, as_text.render_file(result, notes=setting.notes, paint=paint))
    if form == "json":
        say(stream, statistics.json(counted.files, counted.failed))
    else:
        say(stream, statistics.text(paint, writing=writing) + summary.render(notes=setting.notes))
