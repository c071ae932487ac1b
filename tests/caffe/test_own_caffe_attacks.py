"""Repositories of attackers: their own Caffe costs no more than its length."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.golden import caffefix

pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install 'caffefix[test]'")

from tests.support.own_caffes import USUAL
from tests.support.own_repositories import NET, PROTO, TRAIN, findings_of, write

FIELDS = "optional string type = 2;"


def grown(root: Path, fields: str, more: str = "") -> None:
    """Put fields into the layers of the repository's Caffe."""
    path = root / USUAL
    path.write_text(path.read_text().replace(FIELDS, f"{FIELDS} {fields}") + more)


def test_one_file_cannot_be_imported_often(repository: Path) -> None:
    write(repository / "src/caffe/proto/b.proto", "message M { }")
    write(repository / USUAL, PROTO + 'import "b.proto";' * 2)
    done = caffefix("--check", "models/net.prototxt", cwd=repository)
    assert b'"b.proto" is imported twice; 1 file is judged by the known forks' in done.err


def test_an_import_of_what_can_be_no_name(repository: Path) -> None:
    write(repository / USUAL, PROTO + 'import "a\\000b";')
    done = caffefix("--check", "models/net.prototxt", cwd=repository)
    assert b'the imported file "a\\x00b" was not found' in done.err
    assert caffefix("dialects", "models/net.prototxt", cwd=repository).status == 0


def test_a_deep_net_that_the_own_caffe_reads(repository: Path) -> None:
    """Its Caffe has a message in itself; no assertion on time: by its square this does not end."""
    grown(repository, "optional LayerParameter again = 9;")
    depth = 20_000
    text = f'layer {{ name: "a" type: "InnerProduct" {"again { " * depth} nmae: "q" {"}" * depth} }}\n'
    assert findings_of(repository, text)[0][0] == "unknown-field"


@pytest.mark.parametrize(
    ("fields", "more", "text"),
    [
        (" ".join(f"optional int32 abcdefgh{i}x={i + 300};" for i in range(20_000)), "", "qbcdzfgh{0}y: 1"),
        ("repeated E eee = 9;", "enum E {" + " ".join(f"ABC{i}={i};" for i in range(10_000)) + "}", "eee: QQ{0}"),
        (
            " ".join(f"optional LayerParameter abcdefgh{i}x={i + 300};" for i in range(10_000)),
            "",
            "dilation: {0}",
        ),
    ],
    ids=["fields", "values", "messages"],
)
def test_what_is_unknown_times_what_is_known(repository: Path, fields: str, more: str, text: str) -> None:
    """No assertion on time: each held against each does not end."""
    grown(repository, fields, more)
    inner = " ".join(text.format(i) for i in range(1000))
    done = write(repository / "models/net.prototxt", f'layer {{ name: "a" type: "InnerProduct" {inner} }}\n')
    assert caffefix("--check", "--statistics", done.name, cwd=done.parent).status in (0, 1)


def test_names_in_sources_that_are_near_to_each_other(repository: Path) -> None:
    """A finding names three."""
    near = [f"Abcdefghij{a}{b}" for a in "klmnopqrst" for b in "klmnopqrst"]
    write(repository / "src/caffe/more.cpp", "".join(f"REGISTER_LAYER_CLASS({name});\n" for name in near))
    ((_, _, message),) = findings_of(repository, NET.replace("FancyAttention", "Abcdefghijzz"))
    assert message.count(" or ") == 2


def test_names_in_sources_that_are_long(repository: Path) -> None:
    long = "Ab" * 50_000
    write(
        repository / "src/caffe/more.cpp", f"REGISTER_LAYER_CLASS({long});\nREGISTER_LAYER_CLASS({long[:100]}c)\n"
    )
    ((_, _, message),) = findings_of(repository, NET.replace("FancyAttention", long))
    assert len(message) < 400


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_sources_behind_a_link_are_not_read(repository: Path, tmp_path: Path) -> None:
    write(tmp_path / "outside/x.cpp", "REGISTER_LAYER_CLASS(SecretOutside);")
    (repository / "include").symlink_to(tmp_path / "outside")
    ((_, _, message),) = findings_of(repository, NET.replace("FancyAttention", "SecretOutsid"))
    assert "SecretOutside" not in message.replace('"Unknown layer type: SecretOutsid"', "")


def test_a_net_that_a_known_fork_reads_is_not_respelt_by_itself(repository: Path) -> None:
    """A hostile caffe.proto has no TRAIN, but a BRAIN."""
    more = "message NetStateRule { optional Phase phase = 1; } enum Phase { BRAIN = 0; }"
    grown(repository, "repeated NetStateRule include = 8;", more)
    text = 'layer { name: "i" type: "InnerProduct" bottom: "a" top: "i" include { phase: TRAIN } }\n'
    net = write(repository / "models/net.prototxt", text)
    done = caffefix(net.name, cwd=net.parent)
    assert (done.status, net.read_text()) == (1, text)
    assert b"1 unsafe fix not applied (unknown-enum-value)" in done.out


@pytest.mark.parametrize(
    "command", [("deploy",), ("rescale-input", "--stored", "0..1", "--dry-run"), ("dialects",)]
)
def test_each_command_warns_of_a_proto_that_cannot_be_used(repository: Path, command: tuple[str, ...]) -> None:
    write(repository / USUAL, PROTO + "message {")
    net = write(repository / "models/train.prototxt", TRAIN)
    done = caffefix(*command, net.name, cwd=net.parent)
    assert f"warning: {USUAL}:".encode() in done.err
    assert b"train.prototxt is judged by the known forks only" in done.err
