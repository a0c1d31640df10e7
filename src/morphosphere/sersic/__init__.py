"""Structural parameters from images: simulation, bound, network, fitters and their comparison."""
