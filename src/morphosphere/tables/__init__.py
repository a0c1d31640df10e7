"""Catalogues as tables of other formats: FITS and VOTable, written row after row."""
