"""`python -m streams` is `wanglou`."""
from streams.cli import main

main()
