"""Plain steps become compiled loops. Nothing here knows any kind.

A loop is written once. For every kind it is copied with that kind's `step` as its global `step` and compiled with
Numba. The copy carries a name made from the sources behind it, so Numba's disk cache holds one entry a kind and
never an outdated one (a closure, or a dispatcher as an argument, would never hit it: measured in DECISIONS.md).
Without Numba the same code runs as it is, on plain objects, with the same bits.
"""
from __future__ import annotations

from functools import cache
from hashlib import blake2b
from inspect import getfile
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from detectors import looking, loops
from detectors.loops import EVENT, HEAD, RULE, SERIES

numba: Any
try:
    import numba as _numba
    numba = _numba
except ImportError:  # the interpreted installation
    numba = None

HOW: dict[str, Any] = dict(nogil=True, error_model="numpy", no_cfunc_wrapper=True)     # never fastmath: both ways the same bits


class Rows:
    """Records as Python itself likes them: attributes, plain floats and lists; `save` writes the touched ones back."""

    def __init__(self, view: Any) -> None:
        self.view = view
        self.rows: dict[Any, SimpleNamespace] = {}

    def __len__(self) -> int:
        return len(self.view)

    def __getitem__(self, key: Any) -> SimpleNamespace:
        if key not in self.rows:
            self.rows[key] = SimpleNamespace(**{n: self.view[n][key].tolist() for n in self.view.dtype.names})
        return self.rows[key]

    def save(self) -> None:
        """Back into the matrix, unless it is read-only."""
        if self.view.flags.writeable:
            for key, row in self.rows.items():
                for name, value in vars(row).items():
                    self.view[name][key] = value


def interpret(function: Any) -> Any:
    """A loop that takes arrays and runs as plain Python: columns as lists, records as objects."""
    def run(*args: Any) -> Any:
        inner = [Rows(a) if _is_records(a) else a.tolist() if isinstance(a, np.ndarray) and a.ndim == 1 else a for a in args]
        result = function(*inner)
        for outer, used in zip(args, inner, strict=True):
            if isinstance(used, Rows):
                used.save()
            elif isinstance(used, list) and outer.flags.writeable:
                outer[...] = used
        return result
    return run


def _is_records(a: Any) -> bool:
    return isinstance(a, np.ndarray) and a.dtype.names is not None


def guarded(step: Any) -> Any:
    """A step whose exception, interpreted, becomes a score that is not finite: settle then quarantines it."""
    def run(*args: Any) -> Any:
        try:
            return step(*args)
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
            return np.nan
    return run


def lift(function: Any, **names: Any) -> Any:
    """The same code, in which every plain function it calls is compiled too."""
    names = {**function.__globals__, **names}
    for name in function.__code__.co_names:
        if isinstance(names.get(name), FunctionType):
            names[name] = helper(names[name])
    return FunctionType(function.__code__, names, function.__name__)


@cache
def helper(function: Any) -> Any:
    """A function that only compiled code calls."""
    return numba.njit(**HOW, no_cpython_wrapper=True)(lift(function))


def reach(function: Any, **names: Any) -> set[Any]:
    """The function and every plain function that its code calls, however deep."""
    names = {**function.__globals__, **names}
    called = [names.get(n) for n in function.__code__.co_names]
    return {function}.union(*(reach(f) for f in called if isinstance(f, FunctionType) and f is not function))


def stamp(function: Any, **names: Any) -> str:
    """A name that changes whenever a source behind the compiled code does, and that no two steps share."""
    parts = set()
    for f in reach(function, **names):
        parts.add(f"{f.__module__} {f.__qualname__} {f.__code__.co_firstlineno}".encode() + f.__code__.co_code)
        parts.add(Path(getfile(f)).read_bytes())
    return blake2b(b"".join(sorted(parts)), digest_size=8).hexdigest()


def compiles(compiled: bool) -> bool:
    """Whether what is asked to be compiled can be."""
    return compiled and numba is not None


def build(function: Any, signature: Any, compiled: bool, **names: Any) -> Any:
    """`function` compiled (from the disk cache, or now), or as it is behind `interpret`."""
    if not compiles(compiled):
        plain = {name: guarded(f) for name, f in names.items()}
        return interpret(FunctionType(function.__code__, {**function.__globals__, **plain}, function.__name__))
    copy = lift(function, **names)
    copy.__qualname__ = "_".join([function.__name__, *(f.__module__.rpartition(".")[2] for f in names.values()),
                                  stamp(function, **names)])
    return numba.njit(signature, cache=True, **HOW)(copy)


@cache
def shared(compiled: bool = True) -> SimpleNamespace:
    """The loops that all kinds share: `arrive`, `mark`, `look`, `settle`, `remember`, `silence`."""
    if not compiles(compiled):
        return SimpleNamespace(**{f.__name__: build(f, None, False) for f in
                                  (loops.arrive, loops.mark, looking.look, loops.settle, loops.remember, loops.silence)})
    f8, i8, void = numba.float64, numba.int64, numba.void
    column, slots, pair = f8[::1], i8[::1], numba.types.UniTuple(i8, 2)
    rules, heads, series, events = records(RULE, 2, False), records(HEAD, 2), records(SERIES, 1), records(EVENT, 1)
    return SimpleNamespace(
        arrive=build(loops.arrive, void(slots, column, column, column, f8, f8, f8, series, slots), True),
        mark=build(loops.mark, void(slots, column, column, series, column), True),
        look=build(looking.look, void(slots, column, f8[:], f8[:, :, :], f8, column), True),
        settle=build(loops.settle, pair(i8, slots, column, column, column, f8[:, ::1], f8[:, ::1], i8, rules, heads, series, f8,
                                        events, column), True),
        remember=build(loops.remember, i8(slots, column, column, column, column, i8, f8, f8[:, :], column, f8[:, ::1]), True),
        silence=build(loops.silence, pair(i8, f8, f8, i8, rules, heads, series, events, column), True))


@cache
def kernel(kind: Any, compiled: bool = True, derive: bool = False, looks: bool = False) -> Any:
    """The loop of one check, kind or (with `derive`) derive operator; with `looks`, of one that looks at others (beside.py)."""
    warm = "warm" in kind.PARAMS.names and "n" in kind.STATE.names
    outer: Any = loops.derive if derive else loops.warming if warm else loops.loop
    if not compiles(compiled):
        return build(outer, None, False, step=kind.step)
    f8, column = numba.float64, numba.float64[::1]
    first, last = (numba.int64[::1], column, column, column, f8), (records(kind.PARAMS, 1, False), records(kind.STATE, 1), column)
    if looks:
        outer = looking.warming if warm else looking.loop
        return build(outer, numba.void(*first, f8[:, ::1], f8[:, :], *last), True, step=kind.step)
    return build(outer, numba.void(*first, *last), True, step=kind.step)


def records(dtype: Any, ndim: int, writable: bool = True) -> Any:
    """The Numba type of a strided view of records in a float matrix."""
    return numba.types.Array(numba.from_dtype(dtype), ndim, "A", readonly=not writable)
