"""What a network says of the structural parameters of every image, as a Catalogue."""
