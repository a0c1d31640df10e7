"""Every image placed on the sphere, with its pose, its most similar images and an outlier score."""
