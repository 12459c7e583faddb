"""The roster: posts, people, shifts, swaps, hand-overs. Names and numbers of people stay in the database."""
