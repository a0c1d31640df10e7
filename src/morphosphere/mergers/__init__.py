"""Mergers: what an image of a collision says about the encounter."""
