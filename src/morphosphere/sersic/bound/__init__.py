"""The smallest errors that images allow: Fisher matrices and Cramér-Rao bounds."""
