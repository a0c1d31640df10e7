"""The four artefacts that pass between stages, and nothing else does.

GalaxySet (particles), ImageSet (images and a table), ModelBundle (a trained model), Catalogue (one
row per image). Beside them the transform that every user of a model shares, the split by galaxy,
and the description of columns.
"""
