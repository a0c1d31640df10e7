"""Which round of a recursion is kept: all are scored on the same galaxies."""
