"""Which Caffe wrote a log: a fingerprint of source lines, file names and wordings.

Messages hardly changed in ten years and across forks, but the lines of the source that print them did. A state of
the source is identified by two or more messages at its lines and none elsewhere. Lines of debug_info were compared
with every commit of net.cpp in the repositories of BVLC, NVIDIA, Intel and SSD; lines of set-up with what these
versions print. A fork that did not change a file prints the same lines: only states that are known from a single
fork are called certain.
"""

from __future__ import annotations

from caffefix._startup.records import dataclass
from caffefix.evidence.logs.model import TrainingLog


@dataclass(frozen=True, slots=True)
class Era:
    """A state of Caffe's source.

    Attributes:
        fork: the schema's name of the fork.
        label: for people: fork, version, months.
        is_alone: whether no other fork has these lines.
        zero_gamma: whether BatchNorm's gamma starts at 0 without a scale_filler.
        lines: source line by (source file, kind of message).
    """

    fork: str
    label: str
    is_alone: bool
    zero_gamma: bool
    lines: dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The Caffe that wrote a log, as far as the log shows.

    Attributes:
        fork: the schema's name of the fork; empty if unknown.
        label: for people; ``unknown`` if so.
        is_certain: whether no other fork writes this.
        zero_gamma: whether it is known to start BatchNorm's gamma at 0.
        evidence: what it was inferred from.
    """

    fork: str = ""
    label: str = "unknown"
    is_certain: bool = False
    zero_gamma: bool = False
    evidence: str = "no known combination of source lines, files or wordings"


_DEBUG = ("forward-top", "forward-param", "backward-bottom", "backward-param", "totals")
_SET_UP = (
    "net-parameters", "creating-layer", "top", "bottom", "in-place", "setting-up", "shape", "memory",
    "needs-backward", "no-backward", "network-output", "network-done", "phase-rule",
)  # fmt: skip
_SOLVER = (
    "solver-parameters", "creating-train-net", "creating-test-net", "scaffolding", "solving", "policy",
    "iteration", "train-output", "testing", "test-output", "done",
)  # fmt: skip


# The loss is also printed at the end of a run, from another line.
_TWICE = "iteration"


def _lines(
    debug: tuple[int, ...] = (), set_up: tuple[int, ...] = (), solver: tuple[int, ...] = (), rate: int = 0
) -> dict[tuple[str, str], int]:
    table = {("net.cpp", kind): line for kind, line in zip(_DEBUG, debug, strict=False)}
    table |= {("net.cpp", kind): line for kind, line in zip(_SET_UP, set_up, strict=False) if line}
    table |= {("solver.cpp", kind): line for kind, line in zip(_SOLVER, solver, strict=False) if line}
    if rate:
        table["sgd_solver.cpp", "rate"] = rate
    return table


ERAS = (
    Era("bvlc", "BVLC, summer of 2018 to 2020", False, False, _lines(
        (593, 605, 621, 632, 721), (53, 86, 382, 408, 369, 124, 131, 139, 200, 202, 244, 257, 296),
        (45, 102, 0, 57, 289, 290, 239, 258, 347, 414, 332), 112)),
    Era("bvlc", "BVLC 1.0, February 2017 to July 2018", False, False, _lines(
        (591, 603, 619, 630, 719), (51, 84, 380, 406, 367, 122, 129, 137, 198, 200, 242, 255, 294),
        (0, 0, 0, 0, 0, 0, 218, 237, 0, 0, 0), 105)),
    Era("bvlc", "BVLC, June to August 2016", False, False, _lines(
        (608, 620, 636, 647, 736))),
    Era("bvlc", "BVLC, 2016, about rc3", False, False, _lines(
        (), (49, 91, 399, 425, 386, 141, 148, 156, 217, 219, 261, 274, 313),
        (48, 91, 181, 60, 279, 280, 228, 244, 337, 404, 322), 106)),
    Era("nvidia-0.15", "NVCaffe 0.15", True, True, _lines((638, 650))),
)  # fmt: skip

# Files and wordings that one family of forks has.
_INTEL = "cpu_info.cpp"
_SSD = frozenset(
    {"annotated_data_layer.cpp", "detection_output_layer.cpp", "multibox_loss_layer.cpp", "bbox_util.cpp"}
)


def fingerprint(log: TrainingLog) -> Fingerprint:
    """The fork that wrote a log; unknown unless everything that is seen is accounted for."""
    for era in ERAS:
        found = _agreement(log, era)
        if found:
            also = "" if era.is_alone else "; or a fork that did not change these files"
            more = f" and {len(found) - 4} more" if len(found) > 4 else ""
            seen = ", ".join(found[:4]) + more
            return Fingerprint(era.fork, era.label + also, era.is_alone, era.zero_gamma, seen)
    return _by_wording(log)


def _agreement(log: TrainingLog, era: Era) -> list[str]:
    """``net.cpp:591`` and so on where everything that is seen fits, and enough is seen to decide."""
    agreeing = []
    for key, seen in sorted(log.sources.items()):
        line = era.lines.get(key)
        if line is None:
            continue
        if line not in seen:
            if key[1] == _TWICE:
                continue
            return []
        agreeing.append(f"{key[0]}:{line}")
    return agreeing if len(agreeing) > 1 else []


def _by_wording(log: TrainingLog) -> Fingerprint:
    if "rates-with-decay" in log.traits:
        evidence = "lr lines that continue with m, wd and gs"
        return Fingerprint("nvidia", "NVCaffe since 0.16", True, False, evidence)
    if _INTEL in log.files:
        return Fingerprint("intel", "Intel Caffe, version unknown", True, False, f"lines of {_INTEL}")
    if "gpu-memory-manager" in log.traits:
        evidence = "GPUMemory::Manager in gpu_memory.cpp"
        return Fingerprint("nvidia", "NVCaffe or a fork of it, version unknown", False, False, evidence)
    if log.files & _SSD:
        evidence = f"lines of {', '.join(sorted(log.files & _SSD))}"
        return Fingerprint("ssd", "SSD or a fork of it, version unknown", False, False, evidence)
    return _by_age(log)


def _by_age(log: TrainingLog) -> Fingerprint:
    """The fork is unknown, but the period can be determined."""
    if "debug-info-prefix" in log.traits:
        return Fingerprint(
            "", "a Caffe of mid-2014, fork unknown", evidence="[debug_info] in front of debug lines"
        )
    if any(t.direction == "Update" for t in log.tracks):
        label = "a Caffe of July 2014 to July 2015, fork unknown"
        return Fingerprint("", label, evidence="[Update] lines")
    return Fingerprint()
