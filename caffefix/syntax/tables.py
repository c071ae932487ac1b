"""Lark's LALR tables and terminals for ``grammar/prototxt.lark``, loaded rather than built.

``_tables.py`` is what Lark made of the grammar, saved as Python literals, so that reading a
file neither builds the grammar (20 ms) nor imports Lark (half of the start-up time). It contains the checksum of
the grammar: Lark compiles an edited grammar again on the spot.

``python -m dev regen`` writes ``_tables.py`` again.
"""

from __future__ import annotations

from caffefix._startup.records import dataclass
from caffefix._startup.resources import content, resource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GRAMMAR = "grammar/prototxt.lark"
STARTS = ("coarse", "fine")


@dataclass(frozen=True, slots=True)
class Tables:
    """A compiled grammar.

    Attributes:
        lark: the version of Lark that compiled it.
        terminals: regular expression of each terminal, by name.
        rules: (origin, number of symbols, alias) of each rule.
        states: for each state, action by symbol: ``n >= 0`` goes to state n,
            ``n < 0`` reduces rule ``~n``.
        start, end: first and accepting state of each start rule.
    """

    lark: str
    terminals: dict[str, str]
    rules: tuple[tuple[str, int, str], ...]
    states: tuple[dict[str, int], ...]
    start: dict[str, int]
    end: dict[str, int]


def load() -> Tables:
    """The tables of prototxt."""
    from caffefix.syntax import _tables

    return saved(_tables, GRAMMAR, STARTS)


def checksum(grammar: bytes) -> int:
    """The remainder modulo a Mersenne prime: it needs no import, and distinguishes grammars."""
    return int.from_bytes(grammar, "big") % ((1 << 61) - 1)


def saved(module: Any, path: str, starts: tuple[str, ...]) -> Tables:
    """The tables saved in a module, or freshly compiled ones where the grammar has changed."""
    grammar = content(resource(path))
    if checksum(grammar) != module.GRAMMAR:
        return compile_grammar(grammar.decode(), starts)
    return Tables(
        lark=module.LARK,
        terminals=module.TERMINALS,
        rules=module.RULES,
        states=module.STATES,
        start=module.START,
        end=module.END,
    )


def compile_grammar(grammar: str, starts: tuple[str, ...] = STARTS) -> Tables:
    """Have Lark compile a grammar, and return its tables (``Lark.memo_serialize``)."""
    import lark
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    parser = lark.Lark(
        grammar,
        parser="lalr",
        start=list(starts),
        keep_all_tokens=True,
        maybe_placeholders=False,
    )
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    table = data["parser"]["parser"]
    symbols = table["tokens"]
    # Lark numbers rules and states in the arbitrary order of its sets; here they are sorted.
    keys = sorted((key for key, rule in memo.items() if "expansion" in rule), key=lambda key: str(memo[key]))
    rule_number = {key: number for number, key in enumerate(keys)}
    states = {
        number: {
            symbols[symbol]: ~rule_number[argument["@"]] if is_reduce else argument
            for symbol, (is_reduce, argument) in row.items()
        }
        for number, row in table["states"].items()
    }
    order = _reached(states, [table["start_states"][start] for start in starts])
    new = {old: number for number, old in enumerate(order)}
    return Tables(
        lark=lark.__version__,
        terminals={t.name: t.pattern.to_regexp() for t in sorted(parser.terminals, key=lambda t: t.name)},
        rules=tuple((memo[k]["origin"]["name"], len(memo[k]["expansion"]), memo[k]["alias"] or "") for k in keys),
        states=tuple(
            {symbol: new[a] if a >= 0 else a for symbol, a in sorted(states[old].items())} for old in order
        ),
        start={start: new[table["start_states"][start]] for start in starts},
        end={start: new[table["end_states"][start]] for start in starts},
    )


def _reached(states: dict[int, dict[str, int]], first: list[int]) -> list[int]:
    """States in the order in which an alphabetical walk visits them."""
    order = list(dict.fromkeys(first))
    seen = set(order)
    for state in order:  # grows while it is walked
        for _, action in sorted(states[state].items()):
            if action >= 0 and action not in seen:
                seen.add(action)
                order.append(action)
    return order


def source(grammar: bytes, path: str = GRAMMAR, starts: tuple[str, ...] = STARTS) -> str:
    """The text of ``_tables.py`` for a grammar."""
    from pprint import pformat

    tables = compile_grammar(grammar.decode(), starts)
    parts = {
        "GRAMMAR": ("int", checksum(grammar)),
        "LARK": ("str", tables.lark),
        "TERMINALS": ("dict[str, str]", tables.terminals),
        "RULES": ("tuple[tuple[str, int, str], ...]", tables.rules),
        "STATES": ("tuple[dict[str, int], ...]", tables.states),
        "START": ("dict[str, int]", tables.start),
        "END": ("dict[str, int]", tables.end),
    }
    head = f'"""Made from {path} by `python -m dev regen`. Do not edit."""\n\n# fmt: off\n# ruff: noqa\n'
    return head + "".join(
        f"{name}: {kind} = {pformat(value, width=110, compact=True, sort_dicts=False)}\n"
        for name, (kind, value) in parts.items()
    )
