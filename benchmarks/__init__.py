"""Benchmarks: each stage against a limit or a peer in the same run, on the same machine."""
