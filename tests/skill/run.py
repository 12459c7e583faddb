"""`make skill`: what the detectors are worth on open data, beside the simple rule, in one run.

python tests/skill/run.py [SET…] [--json]. Every folder here with a measure.py is a set. Exit 1 where an aim is missed;
a row that only has to be told beside the plain rule says whether it is better, and misses nothing.
"""
from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent


def module(path: Path) -> ModuleType:
    """A file beside this one, as a module."""
    name = "wanglou_skill_" + path.stem + "_" + path.parent.name.replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    made = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def main() -> int:
    """Measure what was asked for (default: all)."""
    sets = sorted(p.parent.name for p in HERE.glob("*/measure.py"))
    asked = argparse.ArgumentParser(description="Skill on open data, beside the simple rule.")
    asked.add_argument("sets", nargs="*", help=f"of {', '.join(sets)} (default: all)")
    asked.add_argument("--json", action="store_true", help="a JSON list last")
    chosen, tools, rows = asked.parse_args(), module(HERE / "tools.py"), []
    print("| data | measure | ours | simple rule | reach | |\n|---|---|---|---|---|---|", flush=True)
    for name in chosen.sets or sets:
        try:
            for row in module(HERE / name / "measure.py").measure(tools):
                rows.append(row)
                print(f"| {row.data} | {row.measure} | {row.ours} | {row.simple} | {row.reach} | {row.mark} |", flush=True)
        except tools.Absent as why:
            print(why, file=sys.stderr)
    if chosen.json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
    return int(any(row.missed for row in rows))


if __name__ == "__main__":
    sys.exit(main())
