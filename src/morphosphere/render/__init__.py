"""Render: from GalaxySets to ImageSets."""
