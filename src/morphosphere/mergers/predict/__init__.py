"""What a model says of every image of an ImageSet, as a Catalogue."""
