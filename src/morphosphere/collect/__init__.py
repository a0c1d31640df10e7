"""Collect: images that were not rendered here, into ImageSets."""
