"""The net of a file, for commands that ask about one."""

from __future__ import annotations

from caffefix.caffe.net import Generation, Net, nets
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.syntax.parse import parse
from caffefix.syntax.source import Source


class NoNetError(Exception):
    """There is no net, or it cannot be migrated; the message says why."""


def net_of(source: Source) -> Net:
    """The first net of a file.

    Raises:
        PrototxtError: the file does not parse.
        NoNetError: it has no net.
    """
    found = next(nets(parse(source.text)), None)
    if found is None or not found.layers:
        raise NoNetError(f"{source.path}: there is no net in this file; give a file with layers")
    return found


def migrated(source: Source) -> Source:
    """The file, with V0 layers migrated as Caffe migrates them when it loads the net.

    Raises:
        PrototxtError: the file does not parse.
        NoNetError: it has no net, or its V0 layers cannot be migrated.
    """
    if Generation.V0 not in net_of(source).generations:
        return source
    result = repair(source, Request(Selection(select=("legacy-v0-layers",))))
    after = source if result.new is None else Source(source.path, result.new)
    if Generation.V0 in net_of(after).generations:
        raise NoNetError(f"{source.path}: its V0 layers cannot be migrated; {result.reason or 'see caffefix'}")
    return after
