"""`wanglou`: one command a file; the folder is the registry.

A file defines `register(app)`. Only the file of the command that is called is imported, so each start is quick.
Exit codes: 0 fine, 1 the thing asked about is wrong, 2 the call is wrong.
"""
from __future__ import annotations

import sys
from errno import EDQUOT, ENOSPC
from importlib import import_module
from pathlib import Path

import typer

from streams.errors import UsageError, WanglouError


def main() -> None:
    """Run one command."""
    names = sorted(f.stem.rstrip("_") for f in Path(__file__).parent.glob("[a-z]*.py"))
    asked = [a for a in sys.argv[1:2] if a in names]
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                      help="Wanglou 望楼 watches a city's indicators and warns early.")
    app.callback()(lambda: None)
    for name in asked or names:
        file = name if (Path(__file__).parent / f"{name}.py").exists() else f"{name}_"
        import_module(f"streams.cli.{file}").register(app)
    try:
        app()
    except UsageError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    except WanglouError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    except OSError as error:
        if error.errno not in (ENOSPC, EDQUOT):
            raise
        print(f"{error.filename or 'what was being written'}: {error.strerror or error}; it is not whole", file=sys.stderr)
        raise SystemExit(1) from None
