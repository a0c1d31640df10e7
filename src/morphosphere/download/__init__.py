"""Download: cutouts of galaxies and images of surveys, from public servers into local folders."""
