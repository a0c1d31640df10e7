"""Settings of the check without labels: embedding and clusters of the network's features."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from morphosphere.config.base import Settings


class SurveyClustersSettings(Settings):
    """Whether the galaxies of the target survey fall into the classes by themselves."""

    points: int = Field(
        10_000,
        ge=50,
        le=1_000_000,
        description="Galaxies of the target that the embedding and the clusters are found on, at "
        "most; drawn at random if there are more. The others take the place of the most similar.",
    )
    labelled_points: int = Field(
        2_000,
        ge=0,
        le=1_000_000,
        description="Galaxies of the labelled survey that are embedded with them, at most.",
    )
    components: int = Field(
        16,
        ge=2,
        le=512,
        description="Principal components of the features that are kept, at most.",
    )
    whitening: float = Field(
        0.5,
        ge=0,
        le=1,
        description="How far the components are brought to the same variance: each is divided by "
        "this power of its standard deviation. 1 makes all alike, 0 leaves them as they are.",
    )
    variance: float = Field(
        0.99,
        gt=0,
        le=1,
        description="Share of the variance of the features that is enough: fewer components are "
        "kept if they hold it.",
    )
    embedding: Literal["tsne", "umap"] = Field(
        "tsne",
        description="Method of the embedding in two dimensions; umap needs the package umap-learn.",
    )
    perplexity: float = Field(
        30.0, ge=2, le=500, description="Perplexity of t-SNE: how many neighbours count."
    )
    iterations: int = Field(750, ge=250, le=20_000, description="Steps of t-SNE at most.")
    neighbours: int = Field(
        15,
        ge=2,
        le=500,
        description="Neighbours of UMAP; and those by which further galaxies are placed.",
    )
    minimum_distance: float = Field(
        0.1, ge=0, le=0.99, description="Least distance of points in the embedding of UMAP."
    )
    clusters: Literal["hdbscan", "mixture"] = Field(
        "hdbscan", description="Method of the clusters; mixture is of Gaussians."
    )
    cluster_on: Literal["embedding", "features"] = Field(
        "embedding", description="What clusters are found on: the embedding, or whitened features."
    )
    least_share: float = Field(
        0.05,
        gt=0,
        le=0.5,
        description="Least share of the galaxies in a cluster of HDBSCAN.",
    )
    most_clusters: int = Field(
        8,
        ge=1,
        le=64,
        description="Components of the mixture at most; as many as the Bayesian information "
        "criterion prefers.",
    )
    starts: int = Field(
        10, ge=1, le=200, description="Random starts of each mixture; the likeliest is kept."
    )
    thumbnails: int = Field(
        400, ge=9, le=4_000, description="Pictures laid over the embedding in the figure, about."
    )
    dpi: int = Field(150, ge=50, le=600, description="Resolution of the figures.")

    @model_validator(mode="after")
    def _enough(self) -> SurveyClustersSettings:
        if self.perplexity * 3 >= self.points:
            raise ValueError("perplexity must be below a third of points")
        return self
