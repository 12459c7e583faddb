"""A folder is the registry: one file, one class named in `__all__`; the file's name is what packs write."""
from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from detectors.step import floats, params

FOLDERS = ("checks", "derive", "kinds", "rules")


@cache
def load(folder: str) -> dict[str, Any]:
    """Every algorithm of a folder by name, with its parameter and state records worked out."""
    found = {}
    for file in sorted((Path(__file__).parent / folder).glob("[a-z]*.py")):
        module = import_module(f"detectors.{folder}.{file.stem}")
        (name,) = module.__all__
        kind = getattr(module, name)
        kind.PARAMS = floats(**{p.name: p.size for p in params(kind)} or {"none": 1})
        kind.STATE = floats(**getattr(kind, "slots", None) or {"none": 1})
        found[file.stem.rstrip("_")] = kind
    return found
