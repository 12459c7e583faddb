"""The log of events, read exactly once and folded into rows: alerts, the worklist of silence, leads."""
