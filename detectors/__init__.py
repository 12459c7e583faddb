"""Decides: pure, columns, no clock. Imports NumPy, Numba and itself; does no I/O (design laws 1, 2)."""
