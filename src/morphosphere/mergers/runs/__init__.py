"""Snapshots of N-body runs of mergers, to a GalaxySet."""
