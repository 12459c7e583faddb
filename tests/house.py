"""`make house`: how large the parts are. A look, not a gate."""
from __future__ import annotations

import ast
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """One row a package: files, lines, median and longest file, median and longest function."""
    print(f"{'part':24} {'files':>5} {'lines':>6} {'median file':>11} {'longest':>34} {'median fn':>9} "
          f"{'longest fn':>42}")
    for part in ["detectors", *sorted(f"streams/{p.name}" for p in (ROOT / "streams").iterdir() if p.is_dir() and p.name[0] != "_"),
                 "streams", "tests"]:
        files = sorted((ROOT / part).glob("*.py") if part == "streams" else (ROOT / part).rglob("*.py"))
        sizes = {p: len(p.read_text("utf-8").splitlines()) for p in files}
        functions = {f"{p.stem}.{n.name}": (n.end_lineno or n.lineno) - n.lineno + 1 for p in files
                     for n in ast.walk(ast.parse(p.read_text("utf-8"))) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
        if not sizes or not functions:
            continue
        big, slow = max(sizes, key=lambda p: sizes[p]), max(functions, key=lambda n: functions[n])
        print(f"{part:24} {len(files):5} {sum(sizes.values()):6} {statistics.median(sizes.values()):11.0f} "
              f"{big.name + ' ' + str(sizes[big]):>34} {statistics.median(functions.values()):9.0f} "
              f"{slow + ' ' + str(functions[slow]):>42}")


if __name__ == "__main__":
    main()
