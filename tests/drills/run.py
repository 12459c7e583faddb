"""`make drills`: every drill with real processes, a row each, one line at the end; exit 1 unless all passed.

python tests/drills/run.py [--short] [NUMBER…]
"""
from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path


def tools() -> object:
    """`tools.py` beside this file, as a module."""
    spec = importlib.util.spec_from_file_location("wanglou_drills_tools", Path(__file__).with_name("tools.py"))
    assert spec and spec.loader
    made = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def main() -> int:
    """Run what was asked for."""
    asked = argparse.ArgumentParser(description="The drills, compared with an uninterrupted run.")
    asked.add_argument("numbers", nargs="*", type=int, help="which (default: all)")
    asked.add_argument("--short", action="store_true", help="the forms that are part of make test")
    chosen, shared = asked.parse_args(), tools()
    if lacking := shared.lacks():       # type: ignore[attr-defined]
        print(lacking, file=sys.stderr)
        return 2
    folder = Path(tempfile.mkdtemp(prefix="wanglou-drills-"))
    ground, rows = shared.Ground(folder), []    # type: ignore[attr-defined]
    print(shared.HEAD)                  # type: ignore[attr-defined]
    try:
        for one in shared.drills():     # type: ignore[attr-defined]
            if not chosen.numbers or one.number in chosen.numbers:
                rows.append(shared.perform(one, ground, chosen.short))  # type: ignore[attr-defined]
                print(rows[-1].text(), *(f"   {fault}" for fault in rows[-1].faults), sep="\n", flush=True)
    finally:
        ground.close()
        if rows and all(row.passed for row in rows):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"logs of the processes: {folder}", file=sys.stderr)
    passed = sum(row.passed for row in rows)
    print(f"drills {len(rows)} passed {passed} lost {sum(r.lost for r in rows)} doubled {sum(r.doubled for r in rows)} "
          f"wrong {sum(r.events + r.calls for r in rows)}")
    return 0 if rows and passed == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
