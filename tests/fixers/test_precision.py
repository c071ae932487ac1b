"""The tables of examined hits (docs/precision), and the script that counts from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.precision_table import TABLES, Hit, Row, found, in_turn, read_tables, sample, table

SAFE = Hit("ignored-thing", "safe", "a__b/net.prototxt", 3)


def hit(path: str, line: int = 1, applicability: str = "display") -> Hit:
    return Hit("thing", applicability, path, line)


FIVE = [hit("a__b/net.prototxt", line) for line in range(1, 6)]


def test_tables_can_be_read() -> None:
    rows = list(read_tables(TABLES))
    assert len(rows) > 200
    assert all(row.reason for row in rows)


@pytest.mark.parametrize(
    "line",
    [
        "| `a/b.prototxt:x` | safe | right | because |",
        "| `a/b.prototxt:3` | safe | perhaps | because |",
        "| `a/b.prototxt:3` | sure | right | because |",
        "| `a/b.prototxt:3` | safe | right | |",
    ],
)
def test_a_line_that_is_no_row_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "thing.md").write_text(f"# thing\n\n{line}\n")
    with pytest.raises(SystemExit, match="not a row"):
        list(read_tables(tmp_path))


def test_samples_are_spread_over_repositories_then_files() -> None:
    hits = [hit(f"a__a/{name}.prototxt", line) for name in "mn" for line in range(1, 9)]
    chosen = sample([*hits, hit("b__b/net.prototxt")])
    assert len(chosen) == 5
    assert "b__b/net.prototxt" in {h.path for h in chosen[:2]}
    assert {h.path for h in chosen[:3]} == {"a__a/m.prototxt", "a__a/n.prototxt", "b__b/net.prototxt"}
    assert in_turn([[hits[0], hits[1]], [hits[2]]]) == [hits[0], hits[2], hits[1]]


@pytest.mark.parametrize(
    ("hits", "rows", "problem"),
    [
        ([SAFE], [Row(SAFE, "right", "…")], ""),
        ([], [Row(SAFE, "right", "…")], "no safe ignored-thing there"),
        ([], [Row(SAFE, "wrong", "…")], ""),  # it was narrowed since
        ([SAFE], [Row(SAFE, "wrong", "…")], "SAFE, and not always right"),
        ([SAFE], [Row(SAFE, "doubtful", "…")], "SAFE, and not always right"),
        (FIVE, [Row(h, "right", "…") for h in FIVE[:4]], "4 display hits examined of 5"),
        (FIVE, [Row(FIVE[0], "wrong", "…"), *(Row(h, "right", "…") for h in FIVE[1:])], "more than 1 in 20"),
        (FIVE, [Row(h, "wrong", "…") for h in FIVE], "wrong 5 times"),
    ],
)  # fmt: skip
def test_conditions(hits: list[Hit], rows: list[Row], problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert table(hits, rows, everything=False) == int(bool(problem))
    assert problem in capsys.readouterr().out


@pytest.mark.slow
def test_the_tables_hold_on_the_corpus(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = table(list(found(shared / "corpus")), list(read_tables(TABLES)), everything=True)
    assert status == 0, capsys.readouterr().out
