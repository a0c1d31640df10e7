"""Collect: images that were not rendered here, into ImageSets."""

from morphosphere.collect.table import Table, read_table

__all__ = ["Table", "read_table"]
