"""Images of galaxies with known structural parameters, with noise and without."""
