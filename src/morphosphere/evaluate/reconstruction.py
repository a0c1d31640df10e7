"""How well images are drawn again, beside a principal component analysis of the same images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

#: Numbers of components that the reconstruction is compared with.
COMPONENTS = (2, 3, 8, 32)


def mean_absolute_difference(images: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Over all channels and pixels of each image, shape (N,)."""
    return np.abs(images - drawn).mean(axis=(1, 2, 3))


def similarity(images: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Structural similarity of images in [0, 1], shape (N,).

    With the Gaussian window (11 pixels, 1.5 pixels wide) and constants of Wang et al. 2004 (IEEE
    Trans. Image Process. 13, 600), averaged over pixels and channels. Where images are smaller than
    the window, the window is narrowed to fit.
    """
    import torch
    from torchmetrics.functional.image import structural_similarity_index_measure

    side = min(images.shape[-2:])
    sigma = min(1.5, (side - 1) / 2 / 3.5)
    value = structural_similarity_index_measure(
        torch.from_numpy(np.ascontiguousarray(drawn)),
        torch.from_numpy(np.ascontiguousarray(images)),
        gaussian_kernel=True,
        sigma=sigma,
        data_range=1.0,
        reduction="none",
    )
    return value.reshape(len(images)).numpy()


def fit_components(train: np.ndarray, *, seed: int):
    """Principal components of images (N, C, S, S): as many as are compared, or as there can be.

    Fitted with randomised singular value decomposition (Halko et al. 2011, SIAM Rev. 53, 217);
    `train` is used as scratch space.
    """
    from sklearn.decomposition import PCA

    flat = train.reshape(len(train), -1)
    most = min(max(COMPONENTS), len(flat) - 1, flat.shape[1])
    return PCA(most, svd_solver="randomized", random_state=seed, copy=False).fit(flat)


def drawn_by_components(components, images: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Images drawn with 2, 3, 8 and 32 components, as far as there are so many: (number, images).

    Parameters
    ----------
    components : sklearn.decomposition.PCA
        From `fit_components`.
    images : ndarray, shape (N, C, S, S)
    """
    numbers = components.transform(images.reshape(len(images), -1))
    for count in COMPONENTS:
        if count <= components.n_components_:
            drawn = components.mean_ + numbers[:, :count] @ components.components_[:count]
            yield count, drawn.reshape(images.shape)
