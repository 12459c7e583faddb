"""Arithmetic written in a pack, as numbers: a postfix program that one ordinary step runs, so that it caches.

A program is a row of `SIZE` floats, `OPS` pairs of (operation, argument), the rest zero. It reads a row of
values: places 0..15 are the constants `c0`..`c15` (columns of sites.csv), `X` and `T` the reading and its time for
the kind `expr`, `INPUT` + k the k-th input for the derive operator `expr`. What is undefined (a division by
zero, the root of a negative number, an input that is not there) is NaN and stays NaN to the end.
"""
from __future__ import annotations

from collections.abc import Mapping
from math import exp, inf, isfinite, log, nan, sqrt
from typing import Any

OPS = 64
SIZE = 2 * OPS
DEPTH = 16          # numbers that may wait on the stack
CONSTANTS = 16
X = INPUT = 16
T = 17
VALUES = 32

_END, _NUM, _NAME = 0, 1, 2
_NEG, _ABS, _SQRT, _EXP, _LOG = 3, 4, 5, 6, 7
_ADD, _SUB, _MUL, _DIV, _MIN, _MAX, _LT, _LE, _GT, _GE = 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
_IF = 18

_UNARY = {"neg": _NEG, "abs": _ABS, "sqrt": _SQRT, "exp": _EXP, "log": _LOG}
_BINARY = {"+": _ADD, "-": _SUB, "*": _MUL, "/": _DIV, "<": _LT, "<=": _LE, ">": _GT, ">=": _GE}
_MANY = {"min": _MIN, "max": _MAX}

FUNCTIONS = ("abs", "exp", "if", "log", "max", "min", "sqrt")
"""What a pack may call; `if(test, then, else)` tests for "not 0"."""

Node = tuple[Any, ...]
"""`("num", 1.5)`, `("name", "x")`, `("neg", a)`, `("+", a, b)`, also `- * / < <= > >=`, or `(function, a, …)`."""


def encode(ast: Node, names: Mapping[str, int]) -> tuple[float, ...]:
    """The program of an expression; `names` says which place of the values each name is. ValueError if it cannot be.

    >>> encode(("+", ("name", "x"), ("num", 1.0)), {"x": X})[:7]
    (2.0, 16.0, 1.0, 1.0, 8.0, 0.0, 0.0)
    >>> encode(("name", "y"), {"x": X})
    Traceback (most recent call last):
    ValueError: unknown name 'y': one of x
    """
    code: list[tuple[float, float]] = []
    deepest = _emit(ast, names, code)
    if len(code) > OPS:
        raise ValueError(f"the expression is too long: {len(code)} operations, at most {OPS}")
    if deepest > DEPTH:
        raise ValueError(f"the expression is nested too deeply: {deepest} waiting numbers, at most {DEPTH}")
    flat = [float(number) for pair in code for number in pair]
    return tuple(flat + [0.0] * (SIZE - len(flat)))


def _emit(node: Node, names: Mapping[str, int], code: list[tuple[float, float]]) -> int:
    """Append the operations of a node; how many numbers wait on the stack at most."""
    head, args = node[0], node[1:]
    if head in ("num", "name"):
        code.append((_NUM, _number(args[0])) if head == "num" else (_NAME, _place(args[0], names)))
        return 1
    if head == "-" and len(args) == 1:
        head = "neg"
    _check(head, len(args))
    deepest = 1
    for i, arg in enumerate(args):
        folded = head in _MANY          # of min(a, b, c) only one number waits, of if(a, b, c) all of them do
        deepest = max(deepest, (min(i, 1) if folded else i) + _emit(arg, names, code))
        if folded and i:
            code.append((_MANY[head], 0.0))
    if head not in _MANY:
        code.append((_UNARY[head] if head in _UNARY else _IF if head == "if" else _BINARY[head], 0.0))
    return deepest


def _check(head: str, count: int) -> None:
    """ValueError unless `head` exists and takes so many arguments."""
    want = 1 if head in _UNARY else 2 if head in _BINARY else 3 if head == "if" else 0
    if not want and head not in _MANY:
        raise ValueError(f"unknown function {head!r}: one of {', '.join(FUNCTIONS)}")
    if count != want if want else count < 1:
        raise ValueError(f"{head} takes {want or 'at least 1'} argument{'s' if want > 1 else ''}, not {count}")


def _number(value: float) -> float:
    """A literal, which must be finite."""
    if not isfinite(value):
        raise ValueError(f"{value} is not a number to calculate with")
    return float(value)


def _place(name: str, names: Mapping[str, int]) -> float:
    """Where the value of a name lies."""
    if name not in names:
        raise ValueError(f"unknown name {name!r}: one of {', '.join(sorted(names))}")
    if not 0 <= names[name] < VALUES:
        raise ValueError(f"name {name!r} has place {names[name]}, outside 0..{VALUES - 1}")
    return float(names[name])


# ---- what follows runs inside a step: the rules of core.md section 4 hold -------------------------

def unary(op: int, a: float) -> float:
    """One operation on one number; NaN where it is undefined."""
    if a != a:
        return nan
    if op == _NEG:
        return -a
    if op == _ABS:
        return abs(a)
    if op == _SQRT:
        return sqrt(a) if a >= 0.0 else nan
    if op == _EXP:
        return exp(a) if a < 709.0 else inf
    return log(a) if a > 0.0 else nan


def binary(op: int, a: float, b: float) -> float:
    """One operation on two numbers; NaN where it is undefined. A comparison is 1.0 or 0.0."""
    if a != a or b != b:
        return nan
    if op == _ADD:
        return a + b
    if op == _SUB:
        return a - b
    if op == _MUL:
        return a * b
    if op == _DIV:
        return a / b if b != 0.0 else nan
    if op == _MIN:
        return b if b < a else a
    if op == _MAX:
        return b if b > a else a
    holds = a < b if op == _LT else a <= b if op == _LE else a > b if op == _GT else a >= b
    return 1.0 if holds else 0.0


def constants(p: Any, values: Any) -> None:
    """Put the parameters `c0`..`c15` into places 0..15 of the values."""
    values[0], values[1], values[2], values[3] = p.c0, p.c1, p.c2, p.c3
    values[4], values[5], values[6], values[7] = p.c4, p.c5, p.c6, p.c7
    values[8], values[9], values[10], values[11] = p.c8, p.c9, p.c10, p.c11
    values[12], values[13], values[14], values[15] = p.c12, p.c13, p.c14, p.c15


def evaluate(code: Any, values: Any, work: Any) -> float:
    """Run a program over a row of `VALUES` numbers; `work` is a scratch row of `DEPTH`. NaN: undefined."""
    n = 0
    for i in range(OPS):
        raw = code[2 * i % SIZE]
        op = int(raw) if raw == raw else _END
        if op == _END:
            break
        if op == _NUM:
            work[n % DEPTH] = code[(2 * i + 1) % SIZE]
            n += 1
        elif op == _NAME:
            work[n % DEPTH] = values[int(code[(2 * i + 1) % SIZE]) % VALUES]
            n += 1
        elif op < _ADD:
            work[(n - 1) % DEPTH] = unary(op, float(work[(n - 1) % DEPTH]))
        elif op < _IF:
            n -= 1
            work[(n - 1) % DEPTH] = binary(op, float(work[(n - 1) % DEPTH]), float(work[n % DEPTH]))
        else:
            n -= 2
            test = float(work[(n - 1) % DEPTH])
            work[(n - 1) % DEPTH] = test if test != test else work[n % DEPTH] if test != 0.0 else work[(n + 1) % DEPTH]
    return float(work[(n - 1) % DEPTH]) if n > 0 else nan
