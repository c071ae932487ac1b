"""Accepts and rejects what Caffe's C++ parser does: 241 verdicts of real Caffe.

data/syntax_cases.tsv says of each case what real Caffe's verdict is, and whether the syntax
decides it or only the schema can (unknown fields, wrong types, repeated fields).
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source
from tests.conftest import ROOT

TABLE = ROOT / "tests" / "data" / "syntax_cases.tsv"
ROWS = list(csv.DictReader(TABLE.open(), delimiter="\t"))

# Places that differ from protobuf's on purpose: an unclosed bracket is shown where it was
# opened, and what Caffe rejects as unknown (extensions, templates) where it begins.
OTHER_PLACE = {
    "missing_close_brace", "cr_ends_comment", "num_brace_adjacent", "string_line_continuation",
    "list_scalar_nocolon", "extension_syntax", "any_syntax", "template_jinja",
}  # fmt: skip


def test_the_table_holds_every_case_of_the_oracle(shared: Path) -> None:
    lines = (shared / "facts/syntax.tsv").read_text(errors="replace").splitlines()[1:]
    verdicts = {line.split("\t")[0]: line.split("\t")[1] == "OK" for line in lines}
    assert {row["case"]: row["caffe"] == "accept" for row in ROWS} == verdicts
    assert len(ROWS) == 241


@pytest.mark.parametrize("row", ROWS, ids=[row["case"] for row in ROWS])
def test_case(row: dict[str, str], shared: Path) -> None:
    source = Source(row["case"], (shared / "syntax" / f"{row['case']}.prototxt").read_bytes())
    if row["caffe"] == "accept" or row["decided_by"] == "schema":
        assert parse(source.text).print() == source.text
        return
    with pytest.raises(PrototxtError) as caught:
        parse(source.text)
    assert caught.value.message
    if row["case"] not in OTHER_PLACE:
        place = source.position(caught.value.offset)
        assert f"{place.line}:{place.column}" in re.split(" ", row["places"])
