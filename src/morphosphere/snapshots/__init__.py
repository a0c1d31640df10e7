"""Readers of simulation snapshots, one file per family of codes, and the mock box."""
