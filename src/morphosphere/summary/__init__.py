"""The tables of the report: the metrics, and the provenance of every result, as pages of HTML."""
