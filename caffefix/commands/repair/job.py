"""What a line of ``caffefix PATH…`` asks for. Click is not imported here; the options are in ``options.py``."""

from __future__ import annotations

from collections.abc import Callable

from caffefix._startup.records import dataclass, replace
from caffefix.commands._shared.configuration import configuration, patches_of
from caffefix.commands._shared.errors import fail, misuse
from caffefix.commands._shared.files import Handover, file_filter, paths_of, run_options
from caffefix.commands.repair.next_line import NextLine
from caffefix.commands.repair.reporting import Wanted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from caffefix.commands._shared.baselines import Baselines
    from caffefix.evidence.logs.evidence import LogEvidence
    from caffefix.reports.report import Setting
    from caffefix.results import Gate
    from caffefix.zoo.config import Configuration
    from caffefix.zoo.run import FileFilter, Run
    from caffefix.zoo.run_options import RunOptions
    from caffefix.zoo.work import Repairing


@dataclass(frozen=True, slots=True)
class Job:
    """A command line that was read.

    Attributes:
        paths: files and folders, or - alone.
        stdin_filename: what to call standard input.
        configuration: determines the settings of each file.
        work: what is done to each file.
        run_options: how the files are processed.
        file_filter: which of them are.
        setting: what reports contain.
        wanted: the reports.
        statistics: whether findings are only counted.
        baselines: hide what was found before; None outside a check.
        prune: whether a baseline is rid of what is gone.
        paged: whether diffs may be shown in a pager.
        interactive: whether each fix is asked about.
        ask_again: likewise, also what was declined before.
        must_find: whether it is an error to find no file.
        again: makes the run over the files, if not ``zoo.run``.
    """

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
    again: Callable[..., Run] | None

    @property
    def is_filter(self) -> bool:
        """Whether the repaired file goes to standard output."""
        return self.paths == ("-",) and self.run_options.writing


def job_of(
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
    again: Callable[..., Run] | None = None,
    **options: Any,
) -> tuple[Job, Handover]:
    """What a line asks for, checked: a mistake in it ends the run before it starts.

    Args:
        line: writes lines for reports.
        again: makes the run over the files, if not ``zoo.run``.
        options: the options of ``options.py``; those that several commands have are read in ``_shared``.

    Raises:
        UsageError: options that do not go together.
    """
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
    job = Job(
        paths=paths,
        stdin_filename=stdin_filename,
        configuration=in_force,
        work=work,
        run_options=going,
        file_filter=file_filter(**options),
        setting=setting,
        wanted=wanted,
        statistics=statistics,
        baselines=_baselines(in_force, baseline, paths, check=check, prune=prune),
        prune=prune,
        paged=not no_pager,
        interactive=interactive,
        ask_again=ask_again,
        must_find=not options["changed_since"] and options["files_from"] is None,
        again=again,
    )
    return job, handover


def _gate(fail_on: str | None, *, exit_zero: bool, check: bool) -> Gate:
    """What determines the exit status."""
    from caffefix.results import FailOn, Gate

    if exit_zero and fail_on not in (None, "never"):
        raise misuse("--exit-zero and --fail-on cannot both be given")
    on = FailOn.NEVER if exit_zero else FailOn(fail_on) if fail_on else None
    return Gate(on, check)


def _baselines(
    in_force: Configuration, path: str, paths: tuple[str, ...], *, check: bool, prune: bool
) -> Baselines | None:
    """The baselines that a check goes by."""
    if prune and not path:
        raise misuse("--prune rewrites the baseline: name it with --baseline, whatever the configuration says")
    if path and not check:
        raise misuse("--baseline is for --check: a repair fixes what it can, whatever a baseline records")
    if not check:
        return None
    from caffefix.commands._shared.baselines import Baselines

    if not path:
        return Baselines(in_force, within=paths)
    from caffefix.commands._shared.baseline import BaselineError, load

    try:
        return Baselines(in_force, load(path), within=paths)
    except BaselineError as error:
        fail(str(error))


def _evidence(log: str, paths: tuple[str, ...], roots: tuple[str, ...]) -> LogEvidence:
    """What a log shows of the given files."""
    from caffefix.commands.repair.evidence import evidence

    return evidence(log, paths, roots)
