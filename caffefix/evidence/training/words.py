"""What Caffe said before it aborted, without the noise around it."""

from __future__ import annotations

import re

# lines of glog and of protobuf, whose positions refer to a file that the user has not seen
_SAID = re.compile(
    r"^(?:[EF]\d{4,8} [^\]]*\]|\[libprotobuf ERROR [^\]]*\](?: Error parsing [^:]*: \d+:\d+:)?) (.*)$"
)
_NOISE = re.compile(r"^(\s*@ |\*\*\*|Aborted|WARNING: Logging)")


def caffes_words(errors: str) -> str:
    """What Caffe said before it aborted: glog's lines of errors, without times and stack; one line."""
    said = []
    inside = False
    for line in errors.splitlines():
        match = _SAID.match(line)
        if match:
            said.append(match.group(1).strip())
            inside = True
        elif inside and not _NOISE.match(line) and line.strip():
            said[-1] += " " + line.strip()
        else:
            inside = False
    return _short("; ".join(said).replace(" *** Check failure stack trace: ***", ""))


def _short(text: str) -> str:
    """Without the list of all layer types, and at most a few lines."""
    text = re.sub(r" \(known types: [^)]*\)", "", text)
    return text if len(text) <= 600 else text[:600] + " …"
