"""演练: the canary, which proves the chain by itself, and drills, which people call. Scope exercise, counted nowhere."""
