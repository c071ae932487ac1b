"""The Caffe that lies in a file's repository is the dialect of the file: what is found with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.golden import caffefix

pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install 'caffefix[test]'")

from tests.support.own_caffes import EPOCHS, USUAL, make
from tests.support.own_repositories import FOREIGN, NET, findings_of, names, told, write


def test_a_net_for_its_own_caffe_has_nothing_unknown(repository: Path) -> None:
    assert names(repository) == set()
    assert names(repository, "--dialect", "bvlc") == FOREIGN


def test_a_bare_proto_says_nothing_of_types(repository: Path) -> None:
    """Sources that are not there register everything."""
    (repository / "src/caffe/layers.cpp").unlink()
    write(repository / "models/net.prototxt", NET.replace("FancyAttention", "Other"))
    assert names(repository) == set()


def test_slips_are_measured_by_the_own_caffe(repository: Path) -> None:
    text = NET.replace("FancyAttention", "FancyAtention").replace("heat:", "heta:").replace("COLD", "COLDD")
    write(repository / "models/net.prototxt", text.replace('type: "fancy"', 'type: "fancyy"'))
    found = {name: (severity, message) for name, severity, message in told(repository)}
    assert set(found) == {"unknown-field", "unknown-enum-value", "unknown-layer-type", "unknown-filler-type"}
    severity, message = found["unknown-layer-type"]
    assert severity == "error"
    assert 'this repository\'s Caffe aborts with "Unknown layer type: FancyAtention"; the nearest is' in message
    assert 'no known fork of Caffe has a field "heta", nor has this repository\'s' in found["unknown-field"][1]
    assert found["unknown-enum-value"][1].endswith("the parser stops here; known values: WARM, COLD")
    assert 'this repository\'s Caffe aborts with "Unknown filler name: fancyy"' in found["unknown-filler-type"][1]


def test_respellings_are_safe_where_the_own_caffe_reads_the_file_then(repository: Path) -> None:
    write(repository / "models/net.prototxt", NET.replace("heat:", "haet:"))
    done = caffefix("models/net.prototxt", cwd=repository)
    assert done.status == 0
    assert (repository / "models/net.prototxt").read_text() == NET


def test_what_others_have_is_told(repository: Path) -> None:
    write(repository / "models/net.prototxt", NET.replace("mode: COLD", "dilation: 2"))
    ((name, severity, message),) = told(repository)
    assert (name, severity) == ("misplaced-field", "error")
    assert "where this repository's Caffe has no such field" in message


def test_a_solver_is_for_the_known_forks_if_the_own_caffe_has_none(repository: Path) -> None:
    write(repository / "models/net.prototxt", 'net: "a"\nbase_lr: 0.1\nlr_policy: "fixed"\nmax_iter: 10\n')
    assert "unknown-field" not in names(repository)


def test_dialects_names_it(repository: Path) -> None:
    text = caffefix("dialects", "models/net.prototxt", cwd=repository).out.decode()
    assert text.startswith(f"models/net.prototxt: this repository's {USUAL} (nearest known: ")
    assert "); no known fork has all of it\n" in text
    write(repository / "models/net.prototxt", NET.replace("heat", "het"))
    text = caffefix("dialects", "models/net.prototxt", cwd=repository).out.decode()
    assert f"  not this repository's {USUAL} (nearest known: " in text
    assert '): 12:17: Message type "caffe.FancyParameter" has no field named "het".\n' in text
    data = caffefix("dialects", "--format", "json", "models/net.prototxt", cwd=repository).out
    own = json.loads(data)["files"][0]["own"]
    assert (own["proto"], own["accepts"], own["fits"], len(own["lacks"])) == (USUAL, False, False, 1)


@pytest.mark.parametrize("fork", ["bvlc", "nvidia", "bvlc-v0.999", "tsn"])
def test_a_caffe_is_most_like_the_fork_that_it_is(tmp_path: Path, fork: str) -> None:
    root = make(tmp_path / "own", fork)
    write(root / "models/net.prototxt", NET)
    data = json.loads(caffefix("dialects", "--format", "json", "models/net.prototxt", cwd=root).out)
    assert data["files"][0]["own"]["nearest"] == fork


@pytest.mark.parametrize("kind", ["CONVOLUTOIN", "convolution", "BOGUS", "99"])
def test_v1_types_that_a_v1_caffe_lacks(tmp_path: Path, kind: str) -> None:
    root = make(tmp_path / "own", EPOCHS["2014"])
    layer = f'layers {{ name: "c" type: {kind} bottom: "a" top: "b" }}'
    ((name, severity, message),) = findings_of(root, layer)
    assert (name, severity) == ("unknown-enum-value", "error")
    assert f'this repository\'s Caffe has no value {kind} for "type"' in message


def own_v1(root: Path, number: int) -> Path:
    """A Caffe of today with a V1 type of its own."""
    make(root, "bvlc")
    text = (root / USUAL).read_text()
    text = text.replace("POWER = 26;", "POWER = 126;").replace(
        "ABSVAL = 35;", f"ABSVAL = 35; GATED_MIX = {number};"
    )
    (root / USUAL).write_text(text)
    return root


def test_numbers_of_v1_types_are_the_own_ones(tmp_path: Path) -> None:
    root = own_v1(tmp_path / "own", 26)
    ((name, severity, message),) = findings_of(root, 'layers { name: "g" type: 26 bottom: "a" top: "b" }')
    assert (name, severity) == ("legacy-v1-layers", "info")
    assert message == "type 26 is GATED_MIX in this repository's Caffe; the net is not migrated"


def test_own_v1_types_are_no_alarm(tmp_path: Path) -> None:
    root = own_v1(tmp_path / "own", 90)
    ((name, severity, message),) = findings_of(root, 'layers { name: "g" type: GATED_MIX bottom: "a" top: "b" }')
    assert (name, severity) == ("legacy-v1-layers", "info")
    assert message.startswith(
        "type: GATED_MIX is specific to this repository's Caffe, whose own upgrade is not reproduced"
    )


def test_what_the_own_caffe_cannot_read_is_an_error(repository: Path) -> None:
    found = findings_of(repository, NET.replace("heat: 0.5", "dilation: 2"))
    assert [(name, severity) for name, severity, _ in found] == [("misplaced-field", "error")]
    found = findings_of(repository, NET.replace("num_output: 3", "axis: 1"))
    ((_, _, message),) = found
    assert message.startswith(
        '"axis" is not a field of InnerProductParameter in this repository\'s Caffe, only in '
    )


def test_a_format_that_the_own_caffe_has_not_is_one_finding(repository: Path) -> None:
    layer = 'layers { name: "r" type: RELU bottom: "a" top: "a" relu_param { negative_slope: 0.1 } }\n'
    found = findings_of(repository, layer * 5)
    assert [name for name, _, _ in found].count("misplaced-field") == 1
    assert "which Caffe upgrades at each load" not in str(found)


def test_a_proto_that_is_named_is_called_by_its_name(repository: Path) -> None:
    (repository / USUAL).rename(repository / "mine.proto")
    found = findings_of(repository, NET.replace("COLD", "HOT"), "--proto", "mine.proto")
    ((_, _, message),) = found
    assert message.startswith("the Caffe of mine.proto has no value HOT")


def test_registered_by_a_macro_of_their_own(repository: Path) -> None:
    """What such a macro registers is not seen, so nothing is known of layer types."""
    macro = "#define REG(x) REGISTER_LAYER_CLASS(x)\nREG(FancyAttention)\nREGISTER_LAYER_CLASS(InnerProduct)\n"
    write(repository / "src/caffe/layers.cpp", macro)
    assert names(repository) == set()


def test_dialects_reads_the_configuration(repository: Path) -> None:
    (repository / USUAL).rename(repository / "mine.proto")
    (repository / ".git").rmdir()
    assert b"mine.proto" not in caffefix("dialects", "models/net.prototxt", cwd=repository).out
    write(repository / "caffefix.toml", 'proto = "mine.proto"')
    assert b"mine.proto" in caffefix("dialects", "models/net.prototxt", cwd=repository).out
