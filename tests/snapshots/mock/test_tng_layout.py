"""The files are those of IllustrisTNG: names, types, order, units, totals."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from factories_snapshots import write_tiny_box
from morphosphere.snapshots.mock.plan import CLUMP, DARK, GALAXY
from morphosphere.snapshots.mock.tng_units import Units
from morphosphere.stellar_populations import luminosity_of


def test_file_names(box):
    assert [p.name for p in box.reader.snapshot] == [f"snap_099.{k}.hdf5" for k in range(5)]
    assert [p.name for p in box.reader.catalogue] == [
        f"fof_subhalo_tab_099.{k}.hdf5" for k in range(5)
    ]


def test_particle_counts_of_header_and_datasets_agree(box):
    counts = []
    for index, path in enumerate(box.reader.snapshot):
        header = box.reader.header("snapshot", index)
        assert header["NumFilesPerSnapshot"] == 5
        with h5py.File(path) as file:
            for kind in range(6):
                here = header["NumPart_ThisFile"][kind]
                assert (f"PartType{kind}" in file) == (here > 0)
                for dataset in file.get(f"PartType{kind}", {}).values():
                    assert len(dataset) == here
        counts.append(header["NumPart_ThisFile"])
    np.testing.assert_array_equal(np.sum(counts, axis=0), header["NumPart_Total"])
    np.testing.assert_array_equal(header["NumPart_Total"], box.plan.total)
    assert (header["NumPart_Total_HighWord"] == 0).all()


def test_catalogue_counts_agree(box):
    groups = subhalos = 0
    for index, path in enumerate(box.reader.catalogue):
        header = box.reader.header("catalogue", index)
        with h5py.File(path) as file:
            for name, attribute in (("Group", "Ngroups"), ("Subhalo", "Nsubgroups")):
                for dataset in file.get(name, {}).values():
                    assert len(dataset) == header[f"{attribute}_ThisFile"]
        groups += header["Ngroups_ThisFile"]
        subhalos += header["Nsubgroups_ThisFile"]
    assert (groups, subhalos) == (header["Ngroups_Total"], header["Nsubgroups_Total"])
    assert subhalos == len(box.plan.kind)


@pytest.mark.parametrize(
    ("kind", "field", "dtype", "width"),
    [
        (0, "Coordinates", "f8", 3),
        (0, "Velocities", "f4", 3),
        (0, "Masses", "f4", None),
        (0, "Density", "f4", None),
        (0, "InternalEnergy", "f4", None),
        (0, "ElectronAbundance", "f4", None),
        (0, "StarFormationRate", "f4", None),
        (0, "GFM_Metallicity", "f4", None),
        (0, "SubfindHsml", "f4", None),
        (0, "ParticleIDs", "u8", None),
        (1, "Coordinates", "f8", 3),
        (1, "Velocities", "f4", 3),
        (1, "ParticleIDs", "u8", None),
        (4, "Coordinates", "f8", 3),
        (4, "Velocities", "f4", 3),
        (4, "Masses", "f4", None),
        (4, "GFM_InitialMass", "f4", None),
        (4, "GFM_Metallicity", "f4", None),
        (4, "GFM_StellarFormationTime", "f4", None),
        (4, "GFM_StellarPhotometrics", "f4", 8),
        (4, "StellarHsml", "f4", None),
        (4, "ParticleIDs", "u8", None),
    ],
)
def test_particle_fields(box, kind, field, dtype, width):
    values = box.reader.particles(kind, field)
    assert values.dtype == np.dtype(dtype)
    assert values.shape[1:] == (() if width is None else (width,))
    assert np.isfinite(values).all()


def test_dark_matter_mass_is_in_the_header_alone(box):
    header = box.reader.header("snapshot")
    assert header["MassTable"][1] * 1e10 / header["HubbleParam"] == pytest.approx(2e9)
    assert np.delete(header["MassTable"], 1).tolist() == [0] * 5
    with h5py.File(box.reader.snapshot[0]) as file:
        assert "Masses" not in file["PartType1"]


def test_catalogue_fields_have_the_real_types(box):
    for field, dtype, width in (
        ("SubhaloPos", "f4", (3,)),
        ("SubhaloVel", "f4", (3,)),
        ("SubhaloFlag", "?", ()),
        ("SubhaloGrNr", "i4", ()),
        ("SubhaloLen", "i4", ()),
        ("SubhaloLenType", "i4", (6,)),
        ("SubhaloMassType", "f4", (6,)),
        ("SubhaloHalfmassRadType", "f4", (6,)),
        ("SubhaloStellarPhotometrics", "f4", (8,)),
        ("SubhaloIDMostbound", "u8", ()),
        ("SubhaloSFR", "f4", ()),
    ):
        values = box.reader.table("Subhalo", field)
        assert (values.dtype, values.shape[1:]) == (np.dtype(dtype), width), field
    assert box.reader.table("Group", "GroupLenType").dtype == np.int32
    assert box.reader.table("Group", "GroupFirstSub").dtype == np.int32


def test_every_particle_has_its_own_id(box):
    ids = np.concatenate([box.reader.particles(kind, "ParticleIDs") for kind in (0, 1, 4)])
    assert len(np.unique(ids)) == len(ids) == box.plan.total.sum()
    assert ids.min() > 0


def test_groups_come_before_the_rest_and_lengths_fit(box):
    group_lengths = box.reader.table("Group", "GroupLenType").sum(axis=0)
    assert (group_lengths <= box.plan.total).all()
    assert (group_lengths[:2] < box.plan.total[:2]).all()  # some are in no group
    in_subhalos = box.reader.table("Subhalo", "SubhaloLenType").sum(axis=0)
    assert (in_subhalos[[0, 1, 4]] < group_lengths[[0, 1, 4]]).all()  # and some are fuzz
    mass = box.reader.table("Group", "GroupMassType").sum(axis=1)
    np.testing.assert_allclose(mass, box.reader.table("Group", "GroupMass"), rtol=1e-5)


def test_subhalos_found_by_cumulated_lengths_are_what_the_catalogue_says(box):
    reader, side = box.reader, box.plan.settings.box_size
    position = reader.particles(4, "Coordinates")
    mass = reader.particles(4, "Masses").astype(float)
    born = reader.particles(4, "GFM_StellarFormationTime")
    light = reader.particles(4, "GFM_StellarPhotometrics")
    wanted_mass = reader.table("Subhalo", "SubhaloMassType")
    wanted_half = reader.table("Subhalo", "SubhaloHalfmassRadType")
    wanted_light = reader.table("Subhalo", "SubhaloStellarPhotometrics")
    centre = reader.table("Subhalo", "SubhaloPos")
    slices = reader.subhalo_slices(4)
    assert len(slices) == len(box.plan.kind)
    for row, part in enumerate(slices):
        star = born[part] > 0
        if not star.any():
            assert wanted_mass[row, 4] == 0
            continue
        away = np.abs(position[part][star] - centre[row])
        radius = np.linalg.norm(np.minimum(away, side - away), axis=1)
        weight = mass[part][star]
        assert wanted_mass[row, 4] == pytest.approx(weight.sum(), rel=1e-4)
        half = wanted_half[row, 4]
        assert weight[radius <= half * 1.001].sum() == pytest.approx(weight.sum() / 2, rel=0.02)
        total = -2.5 * np.log10(luminosity_of(light[part][star].astype(float)).sum(axis=0))
        np.testing.assert_allclose(wanted_light[row], total, atol=1e-3)


def test_gas_is_that_of_the_catalogue(box):
    sfr = box.reader.particles(0, "StarFormationRate")
    total = [sfr[part].sum() for part in box.reader.subhalo_slices(0)]
    np.testing.assert_allclose(box.reader.table("Subhalo", "SubhaloSFR"), total, rtol=1e-4)
    assert max(total) > 0.1


def test_subhalo_and_group_velocities_are_those_of_the_particles(box):
    velocity = box.reader.particles(4, "Velocities")
    mass = box.reader.particles(4, "Masses")
    wanted = box.reader.table("Subhalo", "SubhaloVel")
    galaxies = np.flatnonzero(box.plan.kind == GALAXY)
    for row in galaxies[::7]:
        part = box.reader.subhalo_slices(4)[row]
        mean = mass[part] @ velocity[part] / mass[part].sum()
        # the dark matter is few particles, so the subhalo's mean is not exactly the stars'
        assert np.linalg.norm(mean - wanted[row]) < 120


def test_the_difficult_cases_are_there(box):
    reader, side = box.reader, box.plan.settings.box_size
    kinds = box.plan.kind
    flag = reader.table("Subhalo", "SubhaloFlag")
    stars = reader.table("Subhalo", "SubhaloLenType")[:, 4]
    assert (kinds == GALAXY).sum() == 40
    assert (stars[kinds == GALAXY] >= 400).all()
    assert (stars[kinds == DARK] == 0).sum() == 20
    assert (flag == (kinds != CLUMP)).all()
    assert not flag.all()
    # a subhalo across two files
    edges = np.cumsum([reader.header("snapshot", k)["NumPart_ThisFile"][4] for k in range(5)])[:-1]
    slices = reader.subhalo_slices(4)
    assert any(part.start < edge < part.stop for part in slices for edge in edges)
    # a subhalo across the edge of the box
    position = reader.particles(4, "Coordinates")
    assert any(np.ptp(position[s], axis=0).max() > 0.9 * side for s in slices if s.stop > s.start)
    assert position.min() >= 0
    assert position.max() < side
    # a group without a subhalo
    first, number = reader.table("Group", "GroupFirstSub"), reader.table("Group", "GroupNsubs")
    assert (first[number == 0] == -1).all()
    assert (number == 0).any()
    # wind among the stars, which has no light and counts as gas
    born = reader.particles(4, "GFM_StellarFormationTime")
    assert 0 < (born <= 0).sum() < 0.01 * len(born)
    assert born.max() <= 1.0
    wind = reader.table("Subhalo", "SubhaloWindMass")
    gas = reader.particles(0, "Masses")
    row = int(np.argmax(wind))
    own = gas[reader.subhalo_slices(0)[row]].sum()
    assert reader.table("Subhalo", "SubhaloMassType")[row, 0] == pytest.approx(
        own + wind[row], 1e-4
    )


def test_group_number_and_order(box):
    group = box.reader.table("Subhalo", "SubhaloGrNr")
    number = box.reader.table("Group", "GroupNsubs")
    np.testing.assert_array_equal(group, np.repeat(np.arange(len(number)), number))
    mass = box.plan.group_halo[number > 0]
    assert (np.diff(mass) <= 0).all()


def test_units_follow_the_redshift(tmp_path, tng_reader):
    write_tiny_box(tmp_path / "now", galaxies=3)
    write_tiny_box(tmp_path / "then", galaxies=3, redshift=1.0, snapshot=50)
    now, then = tng_reader(tmp_path / "now"), tng_reader(tmp_path / "then", "050")
    header = then.header("snapshot")
    assert header["Time"] == pytest.approx(0.5)
    assert header["Redshift"] == 1.0
    rows = slice(None)
    half = [r.table("Subhalo", "SubhaloHalfmassRadType")[rows, 4] for r in (now, then)]
    np.testing.assert_allclose(half[1], 2 * half[0], rtol=1e-3)  # comoving
    ratio = then.particles(1, "Velocities") / now.particles(1, "Velocities")
    assert np.median(ratio) == pytest.approx(2**0.5, rel=1e-4)  # km sqrt(a)/s
    density = then.particles(0, "Density") / now.particles(0, "Density")
    assert np.median(density) == pytest.approx(1 / 8, rel=1e-3)
    assert then.particles(4, "GFM_StellarFormationTime").max() <= 0.5


def test_birth_times_agree_with_astropy():
    from astropy.cosmology import FlatLambdaCDM

    cosmology = FlatLambdaCDM(H0=67.74, Om0=0.3089, Tcmb0=0)
    units = Units(redshift=0.0)
    assert units.age == pytest.approx(cosmology.age(0).value, rel=1e-3)
    factor = units.birth_scale_factor(np.array([0.1, 3.0, 9.0, np.nan]))
    age = cosmology.age(0).value - cosmology.age(1 / factor[:3] - 1).value
    np.testing.assert_allclose(age, [0.1, 3.0, 9.0], rtol=2e-3)
    assert factor[3] < 0
