"""Predict: every image placed on the sphere."""
