"""What a model of classes says of every image of a survey, as a Catalogue."""
