"""Extract: from snapshots to GalaxySets."""
