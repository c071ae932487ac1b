"""A training log's report as text, for people."""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.commands._shared.shell import command_line
from caffefix.commands.log.next_command import DOUBTFUL
from caffefix.commands.log.results import Diagnosed, Difference, LogReport
from caffefix.evidence.logs.model import Series
from caffefix.reports.as_text import Paint, plain
from caffefix.results import Diagnostic
from caffefix.syntax.source import one_line, visible


def render(report: LogReport, paint: Paint = plain) -> str:
    """The report: what the log is, what it shows, what causes it, where the net differs, what to do next."""
    log = report.log
    parts = [f"{log.lines} lines, {log.records} of Caffe"]
    if log.nets > 1:
        parts.append(f"{log.nets} nets")
    if log.is_benchmark:
        parts.append("a benchmark (caffe time)")
    if not log.has_debug_info:
        parts.append("no debug_info (debug_info: true in the solver shows each blob)")
    out = [f"{paint(visible(log.path), 'path')}: {', '.join(parts)}"]
    out.append(f"  Caffe: {report.fork.label} [from {report.fork.evidence}]")
    out += [f"  {d.name}: {d.value} [{one_line(d.how)}]" for d in report.decoded]
    out += [f"  {_series(s)}" for s in log.outputs]
    told: set[Diagnostic] = set()
    for found in report.observations:
        out += _observation(report, found, told, paint)
    out += [_difference(report, d, paint) for d in report.differences]
    if log.dropped:
        out.append(f"  {log.dropped} values, of more blobs than any net has, were left out")
    if not report.is_wrong and not any(found.observation.name in DOUBTFUL for found in report.observations):
        out.append("nothing wrong found in the log")
    if report.next:
        out.append(f"next: {command_line(report.next)}")
    return "".join(f"{line}\n" for line in out)


def _series(series: Series) -> str:
    name = one_line(series.name)
    if series.phase == "batch":
        return f"caffe test, {name}: {series.mean:.6g} on average over {series.count} batches"
    last = f" → {series.last:g} ({series.count} values)" if series.count > 1 else ""
    return f"{series.phase} {name}: {series.first:g}{last}"


def _observation(report: LogReport, found: Diagnosed, told: set[Diagnostic], paint: Paint) -> Iterator[str]:
    """An observation and what explains it; a cause that is already ``told`` is only named."""
    seen = found.observation
    path = visible(report.log.path)
    place = f"{path}:{seen.line}: " if seen.line else f"{path}: "
    style = "error" if seen.is_wrong else "dim"
    yield f"{paint(place.rstrip(), 'path')} {paint(seen.name, style)} {one_line(seen.message)}"
    why = "because of" if found.is_certain else "perhaps because of"
    for cause in found.causes:
        where = paint(f"{visible(report.net)}:{cause.line}:{cause.column}:", "path")
        layer = f"{cause.layer}: " if cause.layer else ""
        message = "" if cause in told else f" {layer}{cause.message}"
        told.add(cause)
        yield f"  {why} {where} {paint(cause.name, cause.severity.value)}{message}"


def _difference(report: LogReport, found: Difference, paint: Paint) -> str:
    place = visible(report.net) + (f":{found.net_line}" if found.net_line else "")
    layer = f"{one_line(found.layer)}: " if found.layer else ""
    where = f" (line {found.log_line} of the log)" if found.log_line else ""
    return f"{paint(place + ':', 'path')} {paint('differs', 'warning')} {layer}{one_line(found.message)}{where}"
