"""Structural parameters of galaxies: models, point-spread functions and noise of their images."""
