"""HiPS: the sphere as tiles for Aladin."""
