"""Restricted N-body simulations of encounters of galaxies, as GalaxySets."""
