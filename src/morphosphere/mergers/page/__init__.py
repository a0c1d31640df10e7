"""The page on which an image of an encounter is read: a site of static files."""
