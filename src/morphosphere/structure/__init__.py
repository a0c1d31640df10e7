"""Structural parameters of galaxies: light profiles, point spread functions, noise, flags."""
