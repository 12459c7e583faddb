"""Benchmarks, one a file; the folder is the registry. `wanglou bench` runs them.

Each figure is CPU time of a process, or a ratio of two things measured in turn in the same run, wherever that is possible:
a wall clock on a shared machine says more about the neighbours. Nothing is kept; the first line says how busy the machine was.
"""
