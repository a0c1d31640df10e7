"""A mock simulation box in the IllustrisTNG layout.

The box is planned first (`plan`: families, masses, groups, numbers of particles), then made and
written galaxy by galaxy (`discs`, `ellipticals`, `irregulars`, `pairs`, `gas`; `tng_writer`), so
that memory is bounded by one galaxy. Every galaxy has its own random stream: galaxy i is the same
whatever the number of files or processes.
"""
