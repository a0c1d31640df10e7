"""The catalogue of a survey: Parquet, FITS, VOTable, HATS, and HiPS on two spheres."""
