"""What a stage was run with and what it made: the record that stands beside every result.

Each stage writes one JSON file, ``provenance/<job>.json``: its slice of the configuration, digests
of its inputs and outputs, versions, git revision, seed, run time and peak memory. The report shows
them; ``python -m morphosphere.provenance compare`` compares those of two runs.
"""

from morphosphere.provenance.machine import peak_memory_mib
from morphosphere.provenance.record import RunRecord
from morphosphere.provenance.software import git_revision, package_versions

__all__ = ["RunRecord", "git_revision", "package_versions", "peak_memory_mib"]
