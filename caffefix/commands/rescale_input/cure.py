"""Whether a net's trouble is something different from data stored in another range."""

from __future__ import annotations

from caffefix.findings import Severity, Subject
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source


def sees_pixels_too_large(source: Source) -> bool:
    """Whether the net trains on pixels of 0..255 that are too large for it: ``missing-input-scale`` repairs that.

    ``rescale-input`` does not, because the net sees the same numbers as before.
    """
    from caffefix.fixers.data.missing_input_scale import find

    try:
        subject = Subject(parse(source.text))
    except PrototxtError:
        return False
    return any(finding.severity is not Severity.INFO for finding in find(subject))
