"""The HDF5 layout of DeepGalaxy: reading it to an ImageSet, and writing it."""
