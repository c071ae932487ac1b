"""``caffefix PATH…``: find and repair. Click is not imported here; the options are in ``options.py``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from caffefix._startup.records import replace
from caffefix.commands._shared.errors import fail
from caffefix.commands._shared.files import Handover
from caffefix.commands._shared.orderly import Ended
from caffefix.commands._shared.output import say, use_colour, write
from caffefix.commands.repair.counted import Counted, statistics
from caffefix.commands.repair.job import Job, job_of
from caffefix.commands.repair.next_line import NextLine
from caffefix.commands.repair.reporting import report
from caffefix.syntax.source import visible
from caffefix.zoo.discover import SUFFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from caffefix.results import FileResult
    from caffefix.zoo.run import Run


def repair(**options: Any) -> int:
    """Repair files and report; return the exit status. The arguments are the options of ``options.py``."""
    if options["color"]:
        use_colour(options["color"])
    if options["watch"]:
        from caffefix.commands.repair.watch import watch

        return watch(_once, **options)
    return _once(**options)


def _once(again: Callable[..., Run] | None = None, **options: Any) -> int:
    """Do it once; ``again`` makes the run over the files instead of ``zoo.run``."""
    return _run(*job_of(line=NextLine(options), again=again, **options))


def _run(job: Job, handover: Handover) -> int:
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
            counted = Counted(results, job.setting.gate)
            if job.statistics:
                statistics(counted, job)
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


def _report(job: Job, counted: Counted) -> None:
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


def _results(job: Job, handover: Handover) -> tuple[Iterable[FileResult], int]:
    """The results of the files, as they arrive, and their number."""
    if job.paths != ("-",):
        from caffefix.zoo.run import run

        running = (job.again or run)(
            job.paths, job.configuration, job.work, handover.run_options(job.run_options), job.file_filter
        )
        if running.trouble:
            say(sys.stderr, f"warning: {running.trouble}\n")
        pages = job.setting.diffs and sys.stdout.isatty()  # the pager has the terminal
        if job.interactive:
            from caffefix.commands.repair.interactive.start import started

            asking = started(running, job.work, job.setting, again=job.ask_again)
            return handover.of(asking, bar=False), len(running)
        return handover.of(running, bar=not (job.setting.quiet or pages)), len(running)
    from caffefix.zoo.family import Families
    from caffefix.zoo.files import standard_input
    from caffefix.zoo.one_file import run_data

    data = standard_input()
    result = run_data(job.configuration.of(job.stdin_filename), data, job.work, Families(job.run_options.roots))
    if job.is_filter:
        write(sys.stdout.buffer, result.new if result.new is not None else data)
    return [result], 1
