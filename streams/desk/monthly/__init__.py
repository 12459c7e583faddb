"""The monthly report: skill by detector from the close-outs, answer times by agency."""
