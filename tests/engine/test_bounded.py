"""What is bounded: output and steps grow with the file, and what would not is refused (docs/limits.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers import Fixer
from caffefix.results import FileResult
from caffefix.syntax import style, suppressions
from caffefix.syntax.edits import Replace
from caffefix.syntax.source import Position, Source

DATA = (
    'layer { name: "data" type: "Data" top: "data" top: "label" '
    'data_param { source: "a" batch_size: 8 backend: LMDB } transform_param { scale: 0.0039 } }'
)


def gaussian(count: int, end: str) -> FileResult:
    """A net with an unsafe fix in each layer, repaired."""
    layers = (
        f'layer {{ name: "c{i}" type: "Convolution" bottom: "{f"c{i - 1}" if i else "data"}" top: "c{i}" '
        'convolution_param { num_output: 8 kernel_size: 3 pad: 1 weight_filler { type: "gaussian" } } }'
        for i in range(count)
    )
    loss = f'layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "c{count - 1}" bottom: "label" }}'
    return repair(Source("net", (end.join((DATA, *layers, loss)) + "\n").encode()), Request(select("default-std")))


def select(name: str) -> Selection:
    return Selection((name,), by_name=False)


def test_unsafe_fixes_share_one_diff_so_that_no_line_is_repeated_for_each() -> None:
    for end in ("\n", " "):
        few, many = gaussian(10, end), gaussian(40, end)
        assert Counter(d.name for d in many.findings)["default-std"] == 40
        (small,), (large,) = few.unsafe, many.unsafe
        assert large.count(b"msra") == 40
        assert len(large) < 5 * len(small)


def test_unsafe_fixes_that_meet_have_a_few_diffs_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(subject: Subject) -> Iterator[Finding]:
        for value in range(50):
            fix = Fix(
                (Replace(next(subject.document.root.children()), str(value)),), Applicability.UNSAFE, "made up"
            )
            yield Finding("made-up", Severity.WARNING, f"makes it {value}", subject.document.root, "", fix)

    monkeypatch.setattr(Selection, "fixers", lambda self: [Fixer("made-up", Pass.REPAIR, find, ("*",))])
    result = repair(Source("x", b"a: 99\n"), Request())
    assert [diff.splitlines()[-1] for diff in result.unsafe] == [b"+a: 0", b"+a: 1", b"+a: 2", b"+a: 3"]
    assert len(result.findings) == 50


def suppressed(count: int) -> str:
    return "# caffefix: ignore[double-softmax, legacy-*] a reason\n" * count + DATA + "\n"


def test_suppressions_are_asked_once_for_each_name_of_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not once for each pair of a finding and a suppression."""
    asked = Counter[str]()
    means = suppressions.means

    def counted(glob: str, name: str) -> bool:
        asked[""] += 1
        return means(glob, name)

    monkeypatch.setattr(suppressions, "means", counted)
    steps = []
    for count in (50, 500):
        asked.clear()
        assert len(repair(Source("x", suppressed(count).encode()), Request()).findings) == count
        steps.append(asked[""])
    assert steps[1] < 20 * steps[0]


def test_suppressions_in_one_comment_are_taken_out_at_once() -> None:
    line = "# caffefix: ignore[double-softmax] a " * 40
    result = repair(Source("x", f"{line.rstrip()}\n{DATA}\n".encode()), Request())
    assert result.new == f"{DATA}\n".encode()
    assert sum(len(d.title) + len(d.message) for d in result.findings) < 40 * 300


@pytest.mark.parametrize(
    ("glob", "name", "is_meant"),
    [
        ("a", "a", True),
        ("a", "ab", False),
        ("*", "", True),
        ("a*", "abc", True),
        ("*c", "abc", True),
        ("a*c*", "abcd", True),
        ("*b*b", "abab", True),
        ("*b*b", "aba", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("?*", "", False),
        ("*a" * 30 + "*b", "a" * 60, False),
    ],
)
def test_globs(glob: str, name: str, is_meant: bool) -> None:
    assert suppressions.means(glob, name) is is_meant


@pytest.mark.parametrize("letter", ["a", "é", "\u6771", "\U0001f600"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_columns_of_a_long_line_are_those_of_its_parts(letter: str, encoding: str) -> None:
    data = f"\n# {f'x{letter}' * 5000}\n".encode(encoding, "replace")
    long, text = Source("x", data), data.decode("latin-1")
    for offset in (1, 2, 3, 4095, 4096, 4097, 4098, 4099, 8192, 9000, len(data) - 1):
        if encoding == "latin-1" or not "\x80" <= text[offset] <= "\xbf":
            assert long.position(offset) == Position(2, len(data[1:offset].decode(encoding)) + 1)


def test_ends_of_lines_near_and_far() -> None:
    """As a search of the whole text finds them."""
    text = "".join(f"{'  ' * n}{'x' * length}{end}" for n, (length, end) in enumerate(LINES))
    for offset in range(0, len(text), 37):
        start = text.rfind("\n", 0, offset) + 1
        rest = text[start:]
        assert style.indent_at(text, offset) == rest[: len(rest) - len(rest.lstrip(" "))]
        end = text.find("\n", offset)
        end = text.rfind("\n", 0, offset) if end < 0 else end
        assert style.newline_at(text, offset) == ("\r\n" if end > 0 and text[end - 1] == "\r" else "\n")


LINES = ((5, "\n"), (3000, "\r\n"), (1024, "\n"), (1023, "\r\n"), (1, "\n"), (0, "\n"), (2500, "\r\n"), (2000, ""))


def test_misspelt_layer_types_are_judged_together() -> None:
    """No assertion on time: a look at the whole net for each does not end."""
    layers = "".join(
        f'layer {{ name: "a{i}" type: "Relu" bottom: "x{i}" top: "x{i + 1}" }}\n' for i in range(3000)
    )
    result = repair(Source("net", layers.encode()), Request())
    assert result.new is not None
    assert result.new.count(b'"ReLU"') == 3000
