"""`wanglou warm`: compile every loop once, so that no worker has to."""
from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("warm")(warm)


def warm() -> None:
    """Fill Numba's disk cache: some seconds once, then every worker starts in one."""
    from detectors.kernel import kernel, shared
    from detectors.registry import load
    from streams import clock

    start = clock.monotonic()
    shared()
    found = [(kind, folder == "derive") for folder in ("checks", "kinds", "derive") for kind in load(folder).values()]
    for kind, derive in found:
        kernel(kind, derive=derive)
    print(f"{len(found)} algorithms are compiled ({clock.monotonic() - start:.1f} s)")
