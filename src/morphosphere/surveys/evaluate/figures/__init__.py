"""Figures of the report on a classifier of surveys."""
