"""Plain addresses in compiled code. For an array that is handed to a function Numba counts references, which costs more than
what a short function does; for an address it does not, nor does it look whether an index is negative. Nobody checks bounds.
"""
from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic


def _pointer(kind: Any) -> Any:
    @intrinsic
    def pointer(typing: Any, address: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.intp), code  # type: ignore[no-untyped-call]

    return pointer


bytes_at = _pointer(types.uint8)
"""The bytes at an address."""
wholes_at = _pointer(types.int64)
"""The int64 numbers at an address."""
floats_at = _pointer(types.float64)
"""The float64 numbers at an address."""
singles_at = _pointer(types.float32)
"""The float32 numbers at an address."""
