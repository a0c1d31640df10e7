"""The check without labels: what the features alone say of the classes."""

from __future__ import annotations

#: Figures of the report, by the stems of their files, with their titles.
FIGURES = {
    "clusters_galaxies": "Galaxies of the target in the embedding of their features",
    "clusters_classes": "Classes, labels and surveys in the embedding",
    "clusters_groups": "Clusters without labels, and what they hold",
}
