"""The field's text form of a pair of cells: `Genotype(normal, normal_concat, reduce, reduce_concat)` of DARTS."""

import ast
from dataclasses import dataclass

from nas.sentences import Refused

Pair = tuple[str, int]
FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")
LONGEST = 20_000  # characters
MOST_STATES = 100


@dataclass(frozen=True)
class Genotype:
    """Two cells: per node two pairs of an operation and the state it reads, then the states that make the output.

    States 0 and 1 are the outputs of the two cells before, state 2 is the first node.
    """

    normal: tuple[Pair, ...]
    normal_concat: tuple[int, ...]
    reduce: tuple[Pair, ...]
    reduce_concat: tuple[int, ...]

    def __str__(self) -> str:
        concats = (_states_text(self.normal_concat), _states_text(self.reduce_concat))
        return (
            f"Genotype(normal={list(self.normal)}, normal_concat={concats[0]}, "
            f"reduce={list(self.reduce)}, reduce_concat={concats[1]})"
        )


def genotype(text: str) -> Genotype:
    """Return the genotype of a text; raises Refused for anything else. The text is parsed and never evaluated."""
    if len(text) > LONGEST:
        raise Refused("A genotype has at most {most} characters; this has {count}.", most=LONGEST, count=len(text))
    try:
        return _genotype(ast.parse(text.strip(), mode="eval").body, text)
    except Refused:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _not("Genotype(...)", text) from error


def _genotype(call: ast.expr, text: str) -> Genotype:
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Genotype"):
        raise _not("Genotype(...)", text)
    given = {str(keyword.arg): keyword.value for keyword in call.keywords}
    if call.args or sorted(given) != sorted(FIELDS) or len(call.keywords) != len(FIELDS):
        raise Refused(
            "A genotype names {fields}, each once; {text} does not.", fields=", ".join(FIELDS), text=_short(text)
        )
    return Genotype(
        normal=_pairs(given["normal"]),
        normal_concat=_states(given["normal_concat"]),
        reduce=_pairs(given["reduce"]),
        reduce_concat=_states(given["reduce_concat"]),
    )


def _pairs(node: ast.expr) -> tuple[Pair, ...]:
    pairs = []
    for item in _items(node):
        match item:
            case (
                ast.Tuple(elts=[ast.Constant(value=str(operation)), state])
                | ast.List(elts=[ast.Constant(value=str(operation)), state])
            ):
                pairs.append((operation, _whole(state)))
            case _:
                raise _not("('operation', state)", ast.unparse(item))
    return tuple(pairs)


def _states(node: ast.expr) -> tuple[int, ...]:
    match node:
        case ast.Call(func=ast.Name(id="range"), args=[_] | [_, _] as bounds, keywords=[]):
            return tuple(range(*(_whole(bound) for bound in bounds)))
        case _:
            return tuple(_whole(item) for item in _items(node))


def _items(node: ast.expr) -> list[ast.expr]:
    if not isinstance(node, ast.List | ast.Tuple):
        raise _not("[...]", ast.unparse(node))
    return node.elts


def _whole(node: ast.expr) -> int:
    # A truth value is a whole number to Python. The bound keeps a range from filling the memory.
    if isinstance(node, ast.Constant) and type(node.value) is int and node.value < MOST_STATES:
        return node.value
    raise _not(f"a state below {MOST_STATES}", ast.unparse(node))


def _states_text(states: tuple[int, ...]) -> str:
    if len(states) > 1 and states == tuple(range(states[0], states[-1] + 1)):
        return f"range({states[0]}, {states[-1] + 1})"
    return str(list(states))


def _not(wanted: str, text: str) -> Refused:
    return Refused("A genotype has {wanted} here, not {text}.", wanted=wanted, text=_short(text))


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
