"""How bytes come: one transport a file."""
