"""Derive operators: readings of one site in, a new series out."""
