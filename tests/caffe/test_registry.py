"""Which forks register what: the registry says what the tables of the facts say."""

from __future__ import annotations

from pathlib import Path

import pytest

from caffefix.caffe import registry
from caffefix.caffe.layers.bvlc import BVLC_TYPES
from caffefix.caffe.registry import Form, Kind
from caffefix.caffe.schema import load
from tests.caffe.test_schema import bits, rows


def of(*forks: str) -> int:
    return bits(",".join(forks))


@pytest.mark.parametrize(("kind", "table"), [(Kind.FILLER, "fillers"), (Kind.POLICY, "policies")])
def test_fillers_and_policies_are_those_of_the_facts(shared: Path, kind: Kind, table: str) -> None:
    listed = dict(rows(shared / "facts/forks", table))
    assert {name: registry.registering(kind, name) for name in listed} == {n: bits(f) for n, f in listed.items()}
    assert list(registry.names(kind, load().everyone)) == sorted(listed)


@pytest.mark.parametrize(("kind", "table"), [(Kind.LAYER, "layers"), (Kind.SOLVER, "solvers")])
def test_types_are_those_of_the_facts(shared: Path, kind: Kind, table: str) -> None:
    for name, form, forks in rows(shared / "facts/forks", table):
        found = registry.registering(kind, name, Form(form))
        assert found & bits(forks) == bits(forks)
        assert form != "string" or found == bits(forks)
    strings = {name for name, form, _ in rows(shared / "facts/forks", table) if form == "string"}
    assert set(registry.names(kind, load().everyone)) == strings


def test_bvlc_registers_its_types() -> None:
    assert set(registry.names(Kind.LAYER, of("bvlc"))) == BVLC_TYPES


def test_an_old_type_is_what_the_upgrade_makes_of_it() -> None:
    """BVLC knows V1's enum and V0's strings by its upgrade only; Caffe of 2014 by its factory."""
    for name, form in (("CONVOLUTION", Form.ENUM), ("conv", Form.V0)):
        assert registry.registering(Kind.LAYER, name, form) & of("bvlc", "bvlc-rc") == of("bvlc", "bvlc-rc")
        assert not registry.registering(Kind.LAYER, name) & of("bvlc", "bvlc-rc")
    assert registry.registering(Kind.LAYER, "padding", Form.V0) == of("caffe-2013", "bvlc-v0.1", "bvlc-v0.99")
    assert {to for to, _ in registry.upgrades("v1", "NORM")} == {"Norm", "Normalize"}
    assert not registry.upgrades("v0", "NORM")


def test_what_was_not_read_is_unknown() -> None:
    """Converters have no layers, and of some repositories only additions to another Caffe were read."""
    for fork in ("ncnn", "mace", "arcface-caffe", "spatialtransformerlayer", "caffe-newlayer"):
        assert not registry.known(Kind.LAYER) & of(fork)
    assert registry.known(Kind.LAYER) & of("bvlc", "bvlc-v0.1", "mini-caffe") == of(
        "bvlc", "bvlc-v0.1", "mini-caffe"
    )


def test_names_that_nobody_registers() -> None:
    for name in ("FancyAttention", "", "Convolution\tstring", "Convolution\n", "Convolutio", "Convolution\t"):
        assert registry.registering(Kind.LAYER, name) == 0


def test_each_fork_says_where_it_was_read(shared: Path) -> None:
    told = [(f.name, f.repository, f.ref, f.commit, f.date) for f in registry.forks()]
    assert told == [row[:5] for row in rows(shared / "facts/forks", "forks")]
    assert [fork.name for fork in registry.forks()] == list(load().forks)
