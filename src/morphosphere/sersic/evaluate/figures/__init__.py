"""Figures of the report on structural parameters."""
