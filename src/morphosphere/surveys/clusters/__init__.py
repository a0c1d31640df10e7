"""The check without labels: what the features alone say of the classes."""

#: Names of the figures that the stage draws, without suffix.
FIGURES = ("clusters_galaxies", "clusters_classes", "clusters_groups")
