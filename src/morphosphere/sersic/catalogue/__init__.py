"""The catalogue of structural parameters: Parquet, FITS, VOTable."""
