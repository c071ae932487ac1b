"""A message of parameters under another name is told for each type that takes one."""

from __future__ import annotations

import json

import pytest

from caffefix.caffe.layers.book import V1_TYPES
from caffefix.caffe.layers.bvlc import BVLC_TYPES
from caffefix.caffe.schema import load
from caffefix.fixers._parameters import messages_of
from tests.support.golden import caffefix

# Types of BVLC's Caffe without parameters.
BARE = frozenset(
    """
    AbsVal BNLL BatchReindex Filter LSTMUnit Silence Split
    """.split()
)
TAKING = [(kind, field) for kind in sorted(BVLC_TYPES) for field in messages_of(kind)]


def test_each_type_of_bvlcs_caffe_takes_one_or_is_known_to_take_none() -> None:
    assert {kind for kind in BVLC_TYPES if not messages_of(kind)} == BARE


@pytest.mark.parametrize(("kind", "field"), TAKING)
def test_it_is_told_under_another_name(kind: str, field: str) -> None:
    has_it = field in load().messages["V1LayerParameter"]
    old = [name for name, new in V1_TYPES.items() if new == kind and has_it]
    texts = [f'layer {{ name: "x" type: "{kind}" bottom: "a" top: "b" {field}eters {{ mine: 1 }} }}']
    texts += [
        f'layers {{ name: "x" type: {name} bottom: "a" top: "b" {field}eters {{ mine: 1 }} }}' for name in old
    ]
    for text in texts:
        done = caffefix("--check", "--select", "unknown-field", "--format", "json", "-", stdin=text.encode())
        (found,) = json.loads(done.out)["files"][0]["findings"]
        assert (found["severity"], found["applicability"], found["layer"]) == ("warning", "display", "x")
        assert f'a field "{field}eters": the parser stops here' in found["message"]
        assert found["message"].endswith(f'"{field}"')
