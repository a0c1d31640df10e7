"""A library of point-spread functions for simulated images."""
