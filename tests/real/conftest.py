"""The real data for the tests of this folder."""
from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def real() -> ModuleType:
    """`tests/real/data.py` as a module."""
    file = Path(__file__).with_name("data.py")
    spec = importlib.util.spec_from_file_location("wanglou_real_data", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
