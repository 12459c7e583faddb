"""Checks: a reading in, its QARTOD flag out. They cap what is said; they never mute it."""
