"""Templates that an installation writes: values are filled in, and nothing else can be done. Pure.

    {{ level }} {{ title }} {{ place }}{% if limit %}（限 {{ limit }}）{% endif %}

Text, `{{ name }}`, `if`, comparisons, `and or not`, `~` and the filters `trim`, `upper`, `lower`, `default`, `truncate`: what a
template may hold is a list of node types, so there is no attribute, no call, no arithmetic and no loop to run away in; its output
is at most as long as itself and its values. It runs in Jinja's sandbox all the same.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST = 2000
"""Characters of a template."""
FILTERS = ("trim", "upper", "lower", "default", "truncate")
MAY = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.CondExpr, nodes.Compare,
       nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Concat, nodes.Filter)


class Bad(ValueError):
    """A template that is refused, or that cannot be filled."""


class _Environment(ImmutableSandboxedEnvironment):
    """No attribute is safe."""

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        return False


@lru_cache(1)
def _environment() -> _Environment:
    made = _Environment(undefined=StrictUndefined, autoescape=False, cache_size=0)
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in FILTERS}
    made.tests = {}
    return made


@lru_cache(200)
def read(source: str, names: frozenset[str]) -> Template:
    """A template whose every name is one of `names`. Bad says what is wrong with it."""
    if len(source) > LONGEST:
        raise Bad(f"{len(source)} characters; at most {LONGEST}")
    env = _environment()
    try:
        tree = env.parse(source)
        _look(tree)
        unknown = sorted({name.name for name in tree.find_all(nodes.Name)} - names)
        if unknown:
            raise Bad(f"unknown name {', '.join(map(repr, unknown))}; there are: {', '.join(sorted(names))}")
        return env.from_string(source)
    except (TemplateError, RecursionError) as error:
        raise Bad(f"{getattr(error, 'message', None) or type(error).__name__}") from None


def _look(tree: nodes.Template) -> None:
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, MAY):
            raise Bad(f"line {node.lineno}: {type(node).__name__.lower()} is not allowed; write names, if and "
                      f"the filters {', '.join(FILTERS)}")
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            raise Bad(f"line {node.lineno}: no filter {node.name!r}; there are: {', '.join(FILTERS)}")


def render(source: str, values: Mapping[str, object]) -> str:
    """The text, without blanks around it. Bad when it cannot be filled."""
    plain = {name: "" if value is None else str(value) for name, value in values.items()}   # no object is ever seen
    try:
        return read(source, frozenset(plain)).render(plain).strip()
    except (TemplateError, TypeError, ValueError, OverflowError) as error:
        raise error if isinstance(error, Bad) else Bad(f"{type(error).__name__}: {error}") from None


def fault(source: str, names: Iterable[str], samples: Iterable[Mapping[str, object]]) -> str:
    """What is wrong with a template: of itself, or with one of the samples; "" when nothing is."""
    try:
        read(source, frozenset(names))
        for sample in samples:
            if not render(source, sample):
                return "comes out empty"
    except Bad as bad:
        return str(bad)
    return ""
