"""The page on which the catalogue of the target survey is looked through: static files."""
