"""The past through the same judge: histories read, replayed, scored, measured and explained, offline."""
