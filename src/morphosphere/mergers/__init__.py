"""Galaxy mergers: encounters, their images, and what is measured from them."""
