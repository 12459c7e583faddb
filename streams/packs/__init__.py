"""Packs: YAML and CSV that people write -> a `City`, every fault with its place; and the tests that a pack brings."""
from streams.packs.load import Checked, check_city, find_configs, load_city

__all__ = ["Checked", "check_city", "find_configs", "load_city"]
