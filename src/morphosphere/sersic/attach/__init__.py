"""Structural parameters as properties of the galaxies of a map."""
