"""Loads patches: text in, a checked ``Patch`` out."""

from __future__ import annotations

from caffefix.caffe.typecheck import NET
from caffefix.findings import Applicability
from caffefix.patching import checks
from caffefix.patching.body import read_body
from caffefix.patching.entries import Change, entries_in
from caffefix.patching.front import read_front
from caffefix.patching.goals import goals, is_layer
from caffefix.patching.merge import merge
from caffefix.patching.patch import Patch
from caffefix.patching.prefilter import prefilters
from caffefix.patching.reach import changed_paths, is_structural
from caffefix.patching.sample import check_ends
from caffefix.patching.source import split
from caffefix.syntax.source import Source


def patch_of(path: str, data: bytes, *, tried: bool = False) -> Patch:
    """The patch that a file holds.

    Args:
        path: what messages call the file.
        data: its content.
        tried: whether it is known to come to an end.

    Raises:
        PatchError: it has a mistake.
    """
    source = Source(path, data)
    head, start = split(source.text)
    front = read_front(head)
    body = read_body(source.text, start)
    kinds = checks.kinds(body)
    entries = merge(body.before, body.after)
    checks.check_body(front, body, entries)
    kind = NET if NET in kinds else min(kinds)
    checks.check_numbers(body, kind)
    replaced = frozenset(entry.before.offset for entry in entries_in(entries) if isinstance(entry, Change))
    changes = changed_paths(entries)
    wanted = goals(body.before, replaced)
    prefilter_of = prefilters(wanted, kind)
    patch = Patch(
        source=source,
        front=front,
        body=body,
        entries=entries,
        goals=wanted,
        prefilters=prefilter_of,
        joins=checks.joins(body),
        conditions=checks.conditions(front, body),
        needs=checks.anchors(body, prefilter_of.values()),
        kinds=kinds,
        layered=any(map(is_layer, body.before)),
        changes=() if front.preserves_meaning else changes,
        structural=is_structural(changes),
    )
    if not tried and not front.once and front.applicability is not Applicability.DISPLAY:
        check_ends(patch)
    return patch
