"""tests/data/missing_rules.tsv: what the layer book lacks. Counts are written here, reasons by hand."""

from __future__ import annotations

from caffefix.caffe.layers.book import BOOK
from caffefix.caffe.layers.bvlc import BVLC_TYPES
from caffefix.caffe.layers.kind import NONE, LayerType
from caffefix.caffe.layers.rules import moments_rule, shape_rule, zero_rule
from caffefix.caffe.registry import Kind, names
from caffefix.caffe.schema import load
from tests.support.golden import ROOT

PAGE = ROOT / "tests" / "data" / "missing_rules.tsv"
RULES = ("shape", "zero", "moments", "counts")


def missing(kind: LayerType) -> list[str]:
    """The rules that the book lacks for a type; its blobs are in the rule of shapes."""
    ends = kind.loss or not kind.gradient or kind.bottoms == NONE
    known = {
        "shape": shape_rule(kind) is not None,
        "zero": zero_rule(kind) is not None or ends,
        "moments": moments_rule(kind) is not None or ends,
        "counts": kind.bottoms is not None and kind.tops is not None,
    }
    return [name for name in RULES if not known[name]]


def counts() -> dict[str, int]:
    """For each rule, how many types that only forks register lack it."""
    of_forks = set(names(Kind.LAYER, load().everyone)) - BVLC_TYPES
    lacking = [missing(BOOK.get(name) or LayerType(name)) for name in of_forks]
    return {rule: sum(rule in lacks for lacks in lacking) for rule in RULES}


def made() -> str:
    """The file with today's counts."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.partition("\t")[0] not in RULES]
    return "\n".join([*kept, *(f"{rule}\t{number}\t" for rule, number in counts().items()), ""])


if __name__ == "__main__":
    PAGE.write_text(made(), encoding="utf-8")
