"""What every check, kind and derive operator must keep. The folders are the list; nothing is left out by name."""
from __future__ import annotations

import ast
import doctest
import inspect
import random
from copy import deepcopy
from importlib import import_module
from math import isfinite, isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors import charts, days, kernel, learning, numbers, program
from detectors.registry import load
from detectors.step import params
from detectors.trial import trial

FOLDERS = ("checks", "derive", "kinds")
FILES = sorted(f for folder in FOLDERS for f in (Path(numbers.__file__).parent / folder).glob("[a-z]*.py"))
ALL = [(folder, name, kind) for folder in FOLDERS for name, kind in load(folder).items()]
each = pytest.mark.parametrize(("folder", "kind"), [pytest.param(f, k, id=f"{f}/{n}") for f, n, k in ALL])
each_file = pytest.mark.parametrize("path", FILES, ids=lambda f: f"{f.parent.name}/{f.stem}")

INPUTS = 6
CODE = program.encode(("/", ("+", ("name", "x"), ("name", "y")), ("sqrt", ("-", ("name", "x"), ("num", 1.5)))),
                      {"x": program.X, "y": program.X + 1})
BY_UNIT = {"time": 3600.0, "value": 0.5, "value/time": 0.001, "count": 4.0, "": 1.0, "code": CODE, "date": -3.0e8}
FIRST = -3.0e8
PLANNED = {"every": 300.0, "coverage": 0.5}


def given(kind: Any, optional: bool = True) -> dict[str, Any]:
    """Parameters by what they declare: what must be given, and (`optional`) what is off, by unit; the plan's; else defaults."""
    out: dict[str, Any] = {}
    for p in params(kind):
        off = p.default is None or (optional and p.size == 1 and isnan(p.default))
        out[p.name] = PLANNED[p.name] if p.name in PLANNED else BY_UNIT[p.unit] if off else p.default
        if p.size == 2 and optional:
            out[p.name] = (-50.0, 50.0)
        elif p.size > 2 and p.default is None and p.unit != "code":
            out[p.name] = (out[p.name],) * p.size
        if p.name == "inputs":
            out[p.name] = float(inputs(kind))
    return out


def begun(kind: Any, **optional: bool) -> tuple[Any, Any]:
    """Parameters and a state: empty, or as if fitted, for kinds that say nothing before they were."""
    p, s = trial(kind, **given(kind, **optional))
    if hasattr(kind, "example"):
        kind.example(p, s, FIRST)
    return p, s


def inputs(kind: Any) -> int:
    """How many inputs an operator is tested with: as many as it takes, up to INPUTS."""
    most = [min(INPUTS, int(p.high)) for p in params(kind) if p.name == "inputs"]
    return most[0] if most else 1


def wild(n: int, seed: int = 7) -> list[tuple[float, float]]:
    """Times and values as no station should send them, and some as one does: never NaN, times never going back."""
    r, t, x, out = random.Random(seed), FIRST, 20.0, []
    odd = (0.0, -0.0, 1e300, -1e300, 5e-324, 1.7e308, -1.7e308, 1e-160, 0.5, 9999.0, -9999.0)
    for i in range(n):
        t += r.choice((300.0, 300.0, 300.0, 299.75, 60.0, 0.0, 1.0, 1e5 if r.random() < 0.05 else 300.0))
        if i == n // 2:
            t = 1_893_427_200.1         # a new year in Beijing: a total that begins with it is whole
        x = x if n // 4 < i < n // 3 else x + r.gauss(0.0, 1.0)
        out.append((t, r.choice(odd) if r.random() < 0.04 and i > 50 else x))
    out += [(out[-1][0] + 300.0 * i, x) for i in range(1, 40)]
    out += [(out[-1][0] + 86400.0 * 30.44 * i, x + i % 5) for i in range(1, 40)]
    out += [(out[-1][0] + 86400.0 * 7 * i, abs(x) + i % 7) for i in range(1, 330)]
    return [*out, (9.2e12, x), (9.2e12, -x)]


def calls(folder: str, kind: Any, stream: list[tuple[float, float]]) -> list[tuple[float, ...]]:
    """The arguments after p and s, for one series: derive operators are fed all of their inputs, gaps (NaN) too."""
    if folder != "derive":
        return stream
    many = inputs(kind)
    return [(t, float(k), nan if many > 1 and (i + k) % 7 == 0 else x + k if i % 2 == 0 else x / 10.0 ** k)
            for i, (t, x) in enumerate(stream) for k in range(many)]


def flat(s: Any) -> bytes:
    """The bits of a state."""
    return np.hstack([np.ravel(v) for v in vars(s).values()] or [np.zeros(0)]).astype("f8").tobytes()


def bits(values: Any) -> bytes:
    return np.array(values, "f8").tobytes()


def test_every_file_is_tested() -> None:
    """As many algorithms are tested as there are files, and each file names exactly one."""
    assert len(ALL) == len(FILES) >= 20
    for file in FILES:
        module = import_module(f"detectors.{file.parent.name}.{file.stem}")
        assert len(module.__all__) == 1 and getattr(module, module.__all__[0]).__module__ == module.__name__


@each
def test_words(folder: str, kind: Any) -> None:
    """Each says what it is for, when not to use it, from where it is, and shows an example."""
    assert all(word in kind.__doc__ for word in ("Not for", "Source: ", ">>>"))
    assert import_module(kind.__module__).__doc__


@each_file
def test_examples(path: Path) -> None:
    """The examples in the docstrings give what they promise."""
    result = doctest.testmod(import_module(f"detectors.{path.parent.name}.{path.stem}"))
    assert result.attempted > 0 and result.failed == 0


def test_examples_of_helpers() -> None:
    """So do those of the shared numerics and of the encoder."""
    for module in (charts, days, learning, numbers, program):
        result = doctest.testmod(module)
        assert result.attempted > 0 and result.failed == 0


@each
def test_declarations(folder: str, kind: Any) -> None:
    """Parameters have a known unit, a range and a sentence; the state is a fixed number of floats."""
    assert kind.__dataclass_params__.frozen
    for p in params(kind):
        assert p.unit in BY_UNIT and p.low <= p.high and p.doc, p.name
        if p.size == 1 and isinstance(p.default, float) and not isnan(p.default):
            assert p.low <= p.default <= p.high, p.name
    assert all(isinstance(size, int) and size >= 1 for size in kind.slots.values())
    if folder == "kinds":
        assert kind.score_unit in ("", "value", "value/time")
        if "warm" in kind.PARAMS.names:
            assert kind.slots["n"] == 1


@pytest.mark.parametrize("optional", [True, False], ids=["on", "off"])
@each
def test_wild_input(folder: str, kind: Any, optional: bool) -> None:
    """No input makes a step raise, or a kind say what is not finite, or a check say an unknown flag, or a state grow."""
    p, s = begun(kind, optional=optional)
    before = deepcopy(p)
    for args in calls(folder, kind, wild(1500)):
        y = kind.step(p, s, *args)
        assert isinstance(y, float)
        if folder == "kinds":
            assert isfinite(y), args
        elif folder == "checks":
            assert y in (1.0, 3.0, 4.0, 9.0) or (y == 0.0 and kind.lifts), args
        else:
            assert isfinite(y) or isnan(y), args
    assert p == before
    assert {n: len(v) if isinstance(v, list) else 1 for n, v in vars(s).items()} == kind.slots


@each
def test_says_something(folder: str, kind: Any) -> None:
    """The wild stream reaches the algorithm's own arithmetic: its answers are not all the same."""
    p, s = begun(kind)
    said = [kind.step(p, s, *args) for args in calls(folder, kind, wild(1500))]
    assert len({y for y in said if not isnan(y)}) >= 2


@each
def test_deterministic_and_resumed(folder: str, kind: Any) -> None:
    """Two copies of a state go the same way; one that is saved as bits and loaded goes on with the same bits."""
    p, s = begun(kind)
    stream = calls(folder, kind, wild(600))
    for args in stream[:900]:
        kind.step(p, s, *args)
    other, third = deepcopy(s), trial(kind, **given(kind))[1]
    saved = np.frombuffer(flat(s))
    for name, size in kind.slots.items():
        setattr(third, name, saved[:size].tolist() if size > 1 else float(saved[0]))
        saved = saved[size:]
    first = [[kind.step(p, state, *args) for args in stream[900:]] for state in (s, other, third)]
    assert bits(first[0]) == bits(first[1]) == bits(first[2])
    assert flat(s) == flat(other) == flat(third)


# ---- compiled ----------------------------------------------------------------------------------------

def fed(slot: Any, t: Any, k: Any, x: Any, P: Any, S: Any, out: Any) -> None:
    """The loop for derive operators of several inputs."""
    for i in range(len(slot)):
        out[i] = step(P[slot[i]], S[slot[i]], t[i] / 1e6, k[i], x[i])  # noqa: F821


def matrices(kind: Any, rows: int, optional: bool) -> tuple[Any, Any, Any]:
    """Parameter and state records of some series as strided views into float matrices, as the plan lays them out."""
    wide = [np.zeros((rows, dtype.itemsize // 8 + 2)) for dtype in (kind.PARAMS, kind.STATE)]
    wide[1][:, [0, -1]] = 777.0                         # the neighbours' slots: nobody may write here
    P, S = (m[:, 1:-1].view(dtype)[:, 0] for m, dtype in zip(wide, (kind.PARAMS, kind.STATE), strict=True))
    for name, value in given(kind, optional).items():
        P[name] = value
    P.flags.writeable = False
    if hasattr(kind, "example"):
        plain = kernel.Rows(S)
        for row in range(rows):
            kind.example(kernel.Rows(P)[row], plain[row], FIRST)
        plain.save()
    return P, S, wide[1]


def answers(folder: str, kind: Any, compiled: bool, optional: bool) -> tuple[bytes, bytes, Any]:
    """Three series in turns through the product's own loop: scores and states as bits."""
    P, S, matrix = matrices(kind, 3, optional)
    queues = {r: iter(calls(folder, kind, wild(700, seed=r))) for r in range(3)}
    order = [r for r in range(3) for _ in calls(folder, kind, wild(700, seed=r))]
    random.Random(1).shuffle(order)
    rows = [(r, *next(queues[r])) for r in order]
    slot = np.array([row[0] for row in rows])
    t, x = np.array([row[1] for row in rows]) * 1e6, np.array([row[-1] for row in rows])
    out = np.full(len(rows), -1.0)
    if folder == "derive":
        from numba import float64, int64, void
        column = float64[::1]
        signature = void(int64[::1], column, column, column, kernel.records(kind.PARAMS, 1, False),
                         kernel.records(kind.STATE, 1), column)
        k = np.array([row[2] for row in rows])
        kernel.build(fed, signature, compiled, step=kind.step)(slot, t, k, x, P, S, out)
    else:
        kernel.kernel(kind, compiled)(slot, t, x, np.ones(len(rows)), 3.0, P, S, out)
    return out.tobytes(), S.tobytes(), matrix


@pytest.mark.parametrize("optional", [True, False], ids=["on", "off"])
@each
def test_compiled_gives_the_same_bits(folder: str, kind: Any, optional: bool) -> None:
    """Compiled and interpreted say the same, bit for bit, and keep to their own slots, with what is off by default on and off."""
    plain, machine = answers(folder, kind, False, optional), answers(folder, kind, True, optional)
    assert (machine[2][:, [0, -1]] == 777.0).all()
    assert np.array_equal(np.frombuffer(plain[0]), np.frombuffer(machine[0]), equal_nan=True)
    assert plain[1] == machine[1]
    assert len(set(plain[0])) > 1


# ---- the source --------------------------------------------------------------------------------------

BANNED_NODES = (ast.Raise, ast.Import, ast.ImportFrom, ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp,
                ast.GeneratorExp, ast.Lambda, ast.Try, ast.With, ast.Yield, ast.Assert, ast.JoinedStr, ast.Delete, ast.Global)
BANNED_NAMES = {"hypot", "gamma", "lgamma", "pow", "sorted", "list", "dict", "set", "print", "open", "sum"}


def faults(function: ast.FunctionDef, fields: set[str] | None = None, slots: set[str] | None = None) -> list[str]:
    """What a step may not do (core.md section 4): operations that differ when compiled, lists, loose indices, no return."""
    out = []
    for node in (n for statement in function.body for n in ast.walk(statement)):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if isinstance(node, BANNED_NODES):
            out.append(f"line {node.lineno}: {type(node).__name__}")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            out.append(f"line {node.lineno}: **")
        if name in BANNED_NAMES:
            out.append(f"line {node.lineno}: {name}")
        if isinstance(node, ast.Subscript) and not tight(node):
            out.append(f"line {node.lineno}: index without %")
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            known = {"p": fields, "s": slots}.get(node.value.id)
            if known is not None and name not in known:
                out.append(f"line {node.lineno}: no {node.value.id}.{name}")
    procedure = isinstance(function.returns, ast.Constant) and function.returns.value is None
    if not procedure and not ends(function.body):
        out.append(f"line {function.lineno}: a path without return")
    return out


def tight(node: ast.Subscript) -> bool:
    """Whether an index cannot leave its row: a constant, `% size`, or local scratch (`work`, checked interpreted)."""
    index = node.slice
    return (isinstance(index, ast.Constant) or (isinstance(index, ast.Name) and index.id.isupper())
            or (isinstance(index, ast.BinOp) and isinstance(index.op, ast.Mod))
            or (isinstance(node.value, ast.Name) and node.value.id == "work"))


def ends(body: list[ast.stmt]) -> bool:
    """Whether no path falls off the end of these statements."""
    last = body[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and ends(last.body) and ends(last.orelse)
    return isinstance(last, ast.Return)


def functions(module: Any) -> list[ast.FunctionDef]:
    return [n for n in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(n, ast.FunctionDef)]


@each
def test_source_of_steps(folder: str, kind: Any) -> None:
    """No step, and no function beside it, does what compiled code does otherwise; each name exists."""
    found = functions(import_module(kind.__module__))
    assert "step" in {f.name for f in found}
    fields, slots = {p.name for p in params(kind)}, set(kind.slots)
    assert [fault for f in found for fault in faults(f, fields, slots)] == []


def test_source_of_helpers() -> None:
    """Nor do the functions that steps call."""
    inside = {"unary", "binary", "constants", "evaluate"}
    found = functions(charts) + functions(days) + functions(learning) + functions(numbers) + [f for f in functions(program) if f.name in inside]
    assert inside <= {f.name for f in found}
    assert [fault for f in found for fault in faults(f)] == []


@pytest.mark.parametrize(("body", "fault"), [
    ("return x ** 2", "**"), ("return hypot(x, t)", "hypot"), ("return math.lgamma(x)", "lgamma"),
    ("raise ValueError", "Raise"), ("import math\n return x", "Import"), ("return [x][0]", "List"),
    ("return s.ring[int(x)]", "index without %"), ("if x > 0.0:\n  return x", "a path without return"),
    ("return s.meen", "no s.meen"), ("return p.alpa", "no p.alpa"), ("return sorted(s.ring)[0]", "sorted"),
])
def test_the_source_test_can_fail(body: str, fault: str) -> None:
    """Each thing that is banned is found where it is done."""
    (function,) = ast.parse(f"def step(p, s, t, x):\n {body}").body
    assert isinstance(function, ast.FunctionDef)
    assert any(fault in found for found in faults(function, {"alpha"}, {"ring"}))
