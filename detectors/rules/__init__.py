"""Rules: levels of many series in, one level out; three-valued."""
