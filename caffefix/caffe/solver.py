"""A view of solver files: the method, the learning-rate policy, the nets; as Caffe reads them.

Policies and defaults are those of ``SGDSolver::GetLearningRate`` (sgd_solver.cpp) and of
``SolverParameter`` (caffe.proto). A view reads; it changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from caffefix._startup.records import cached_property
from caffefix.caffe.roles import Role, file_role
from caffefix.caffe.schema import load
from caffefix.syntax.scalars import integer_value, is_string, number_value
from caffefix.syntax.tree import Document, Node

# What each policy reads in addition to base_lr and the iteration.
POLICIES: dict[str, tuple[str, ...]] = {
    "fixed": (),
    "step": ("gamma", "stepsize"),
    "exp": ("gamma",),
    "inv": ("gamma", "power"),
    "multistep": ("gamma", "stepvalue"),
    "poly": ("power", "max_iter"),
    "sigmoid": ("gamma", "stepsize"),
}
METHODS = ("SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam")  # in the order of solver_type's numbers
TRAIN_NETS = ("net", "net_param", "train_net", "train_net_param")
TEST_NETS = ("test_net", "test_net_param")

_METHODS = {name.upper(): name for name in METHODS}
# Fields of forks that change neither the rate nor the nets: how tests are scored.
_HARMLESS = frozenset("ap_version eval_type show_per_class_result test_compute_loss".split())


class Solver:
    """A solver file."""

    def __init__(self, document: Document) -> None:
        self.node = document.root

    def given(self, name: str) -> bool:
        return self.node.has(name)

    def number(self, name: str, default: float = 0.0) -> float:
        """A number as Caffe reads it; most fields of a solver have no default, which is 0."""
        value = self.node.scalar(name)
        number = number_value(value) if value is not None else None
        return default if number is None else number

    def numbers(self, name: str) -> list[float]:
        return [number for number in map(number_value, self.node.scalars(name)) if number is not None]

    @cached_property
    def method(self) -> str:
        """``type``, or the method that ``solver_type`` means; as written if Caffe has no such method."""
        kind = self.node.string("type")
        if kind is not None:
            return kind
        old = self.node.scalar("solver_type") or "SGD"
        number = integer_value(old)
        if number is not None and 0 <= number < len(METHODS):
            return METHODS[number]
        return _METHODS.get(old, old)

    @cached_property
    def policy(self) -> str:
        """``lr_policy``; empty if it is not given."""
        return self.node.string("lr_policy") or ""

    @cached_property
    def foreign(self) -> frozenset[str]:
        """Fields that BVLC's solver does not have and that may change what its fields mean."""
        schema = load()
        bvlc = schema.bit("bvlc")
        fields = schema.messages["SolverParameter"]
        known = {name for name, variants in fields.items() if any(v.forks & bvlc for v in variants)}
        return frozenset(self.node.names() - known - _HARMLESS)

    @property
    def is_plain(self) -> bool:
        """Whether it is for BVLC's solver: a fork's fields may change what the others mean."""
        return not self.foreign

    @cached_property
    def train_nets(self) -> list[Node]:
        """The fields that name the net to train: Caffe requires exactly one."""
        return [node for name in TRAIN_NETS for node in self.node.fields(name)]

    @cached_property
    def test_nets(self) -> list[Node]:
        """Nets only for testing; ``net`` and ``net_param`` can also be tested."""
        return [node for name in TEST_NETS for node in self.node.fields(name)]

    @property
    def has_generic_net(self) -> bool:
        return self.given("net") or self.given("net_param")

    @property
    def loads_weights(self) -> bool:
        """Whether it names weights to start from (BVLC since 2017)."""
        return self.given("weights")

    def net_paths(self, names: Sequence[str] = ("net", "train_net", "test_net")) -> Iterator[Node]:
        """The fields that name files of nets."""
        for name in names:
            yield from (node for node in self.node.fields(name) if is_string(node.value))

    def trained_paths(self) -> Iterator[Node]:
        """Those that name files of nets that are trained, and may be tested as well."""
        return self.net_paths(("net", "train_net"))

    def step_at(self, count: int) -> int | None:
        """The iteration at which ``step`` or ``multistep`` has taken that many steps; None if it never does."""
        if self.policy == "step":
            size = int(self.number("stepsize"))
            return count * size if size > 0 else None
        values = self.numbers("stepvalue") if self.policy == "multistep" else []
        taken = list(_taken(values[:count]))
        return int(taken[-1]) if len(taken) == count else None

    def rate(self, iteration: int) -> float:
        """The learning rate at an iteration; nan where Caffe divides by zero.

        Raises:
            ValueError: Caffe aborts here, or it is a fork's policy.
        """
        base, gamma, power = (self.number(name) for name in ("base_lr", "gamma", "power"))
        size = self.number("stepsize")
        if self.policy in ("step", "sigmoid") and size <= 0:
            raise ValueError("stepsize must be positive")
        if self.policy == "fixed":
            return base
        if self.policy == "step":
            return base * math.pow(gamma, iteration // size)
        if self.policy == "exp":
            return base * math.pow(gamma, iteration)
        if self.policy == "inv":
            return base * math.pow(1 + gamma * iteration, -power)
        if self.policy == "multistep":
            return base * math.pow(gamma, _passed(self.numbers("stepvalue"), iteration))
        if self.policy == "poly":
            last = self.number("max_iter")
            return base * math.pow(1 - iteration / last, power) if last else math.nan
        if self.policy == "sigmoid":
            return base / (1 + math.exp(min(-gamma * (iteration - size), 700)))
        raise ValueError(f"unknown policy {self.policy!r}")


def _passed(values: list[float], iteration: int) -> int:
    """How many steps are taken up to an iteration."""
    return sum(taken <= iteration for taken in _taken(values))


def _taken(values: list[float]) -> Iterator[float]:
    """The iterations of steps: in file order, at most one per iteration, so a late step delays the rest."""
    taken = -1.0
    for value in values:
        taken = max(value, taken + 1)
        yield taken


def solver_of(document: Document) -> Solver | None:
    """The solver that a file is, or None."""
    return Solver(document) if file_role(document) is Role.SOLVER else None
