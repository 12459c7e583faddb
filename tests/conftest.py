"""For all tests: no example of Hypothesis is judged by how long a busy machine takes for it."""
from __future__ import annotations

from hypothesis import settings

settings.register_profile("wanglou", deadline=None)
settings.load_profile("wanglou")
