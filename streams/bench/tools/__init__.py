"""What the benchmarks share: cities and readings to judge, a broker of their own, processes seen from outside."""
