"""From cosmological simulations and surveys to an explorable map of galaxy morphology."""

__version__ = "0.1.0"
