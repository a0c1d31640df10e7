"""What the map is worth: ``metrics.json`` and the figures of the report."""

#: Files that the stage writes into its folder of figures; captions of the same stem are in
#: ``workflow/report``.
FIGURES = (
    "losses.png",
    "reconstructions.png",
    "sphere.png",
    "density.png",
    "properties.png",
    "knn.png",
    "rotation.png",
    "neighbours.png",
    "outliers.png",
)
