"""Labels carried from one survey to the next, and the catalogue of the second."""
