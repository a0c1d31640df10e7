"""Two mock surveys of one sky, whose true classes are known."""
