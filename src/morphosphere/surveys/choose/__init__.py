"""The labels that a model gives to the galaxies it is surest of, for the next to learn."""
