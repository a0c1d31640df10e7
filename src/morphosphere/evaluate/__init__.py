"""Evaluate: what the finished map is worth, in numbers and figures."""
