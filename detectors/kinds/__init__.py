"""Kinds: a reading in, a score out. What a score means is decided by the levels of the detector, in settle."""
