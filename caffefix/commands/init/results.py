"""What ``caffefix init`` finds in a folder."""

from __future__ import annotations

from caffefix._startup.records import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    """How often something occurs: a role, a format, a fork."""

    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Occurrences:
    """A finding in the files: how many would be fixed, how many would be left, in how many files."""

    name: str
    fixed: int
    left: int
    files: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What is in a folder; paths are relative to it, with ``/``.

    Attributes:
        files: the number of prototxt files.
        roles: what they are for, the most common first.
        formats: of the nets (V0, V1, V2); a net that mixes them is counted with the oldest.
        forks: how many nets and solvers each known fork accepts, the most first.
        nets: the number of nets and solvers.
        protos: the caffe.proto files that files are judged by, as messages call them.
        troubles: why a caffe.proto cannot be used.
        learning: the number of nets that are trained.
        pretrained: .caffemodel files beside nets, without the snapshots that training writes.
        solvers: the number of solvers.
        loading: how many of them name weights to start from.
        unreadable: files that cannot be read or parsed.
        refused: files whose repair failed a proof.
        settings: configuration files in folders below.
        to_fix: the number of files that would change.
        findings: the most common first.
    """

    files: int
    roles: tuple[Count, ...]
    formats: tuple[Count, ...]
    forks: tuple[Count, ...]
    nets: int
    protos: tuple[str, ...]
    troubles: tuple[str, ...]
    learning: int
    pretrained: tuple[str, ...]
    solvers: int
    loading: int
    unreadable: tuple[str, ...]
    refused: tuple[str, ...]
    settings: tuple[str, ...]
    to_fix: int
    findings: tuple[Occurrences, ...]
