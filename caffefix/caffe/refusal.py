"""Named refusals: how commands end that never guess."""

from __future__ import annotations

from caffefix.syntax.source import Source, one_line
from caffefix.syntax.tree import Node


class Refusal(Exception):
    """Something that a command refuses to do.

    Attributes:
        name: of the reason, in kebab-case: ``no-loss``.
        node: where, if it is at a place.
        options: words of a command line with which it would not refuse; what is unknown is in capitals.
    """

    def __init__(self, name: str, message: str, node: Node | None = None, options: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.name = name
        self.node = node
        self.options = options

    def placed(self, source: Source) -> Refusal:
        """The same with file, line and column before its name and message."""
        place = source.path
        if self.node is not None:
            at = source.position(self.node.start)
            place = f"{source.path}:{at.line}:{at.column}"
        return Refusal(self.name, f"{place}: {self.name}: {one_line(str(self))}", options=self.options)
