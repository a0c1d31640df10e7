"""Real images of galaxies, brought to the form of the simulated ones."""
