"""`wanglou test`: the packs' own tests."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.replay.packtests import Report, Result


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("test")(test)


def test(
    pack: Annotated[str, typer.Argument(help="One pack; without it all of them.")] = "",
    configs: Annotated[Path | None, typer.Option(help="Folder of configs.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a pack, as a list.")] = False,
) -> None:
    """Run each pack's tests.yaml by the same judge as in service; exit 1 when something fails or is not covered."""
    from msgspec.json import encode

    from streams.packs import find_configs, load_city
    from streams.replay.packtests import run_tests

    folder = find_configs(configs)
    city = load_city(folder, pack or None)
    names = [pack] if pack else [p.id for p in city.packs]
    reports = [run_tests(city, name, folder / "packs" / name / "tests.yaml") for name in names]
    if json:
        print(encode([_plain(report) for report in reports]).decode())
    else:
        for report in reports:
            _print(report)
    if not all(report.passed for report in reports):
        raise SystemExit(1)


def _plain(report: Report) -> dict[str, object]:
    tests = [{"name": r.case.name, "file": r.case.file, "line": r.case.line, "passed": r.passed, "expected": list(r.missing),
              "got": list(r.unexpected)} for r in report.results]
    return {"pack": report.pack, "passed": report.passed, "tests": tests, "uncovered": report.uncovered, "faults": report.faults}


def _print(report: Report) -> None:
    for result in report.results:
        print(f"{report.pack}  {'ok  ' if result.passed else 'FAIL'}  {result.case.name}")
        if not result.passed:
            _differences(result)
    for fault in report.faults:
        print(f"{report.pack}  FAIL  {fault}")
    for gap in report.uncovered:
        print(f"{report.pack}  FAIL  {report.file}: {gap} never fires")
    failed = sum(not r.passed for r in report.results)
    print(f"{report.pack}: {len(report.results)} tests, {failed} failed, {len(report.uncovered)} not covered")


def _differences(result: Result) -> None:
    print(f"    {result.case.file}:{result.case.line}")
    for title, rows in (("expected, did not come", result.missing), ("got, not expected", result.unexpected),
                        ("as expected", result.right)):
        if rows:
            print(f"    {title}:")
        for row in rows:
            print(f"      {row}")
