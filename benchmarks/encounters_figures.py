"""Pictures of docs/encounters.md: ``python -m benchmarks.encounters_figures [folder of data]``."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from matplotlib.axes import Axes
from scipy.spatial.transform import Rotation

from benchmarks.encounters_classic import CLASSICS, Classic
from benchmarks.work import ROOT
from morphosphere.artefacts.galaxyset import Galaxy
from morphosphere.config.encounters import EncounterSettings
from morphosphere.config.render import RenderSettings
from morphosphere.evaluate.figures.style import BLUE, INK, ORANGE, new_figure, save
from morphosphere.mergers.encounters.course import follow
from morphosphere.mergers.encounters.draw import Encounter
from morphosphere.mergers.encounters.model import GalaxyModel
from morphosphere.mergers.encounters.orbit import pair_forces
from morphosphere.mergers.encounters.simulate import plan_course, simulate_encounter
from morphosphere.mergers.encounters.smoothing import smoothing_lengths
from morphosphere.mergers.encounters.work import moments_of
from morphosphere.render.galaxy import render_galaxy

PICTURES = ROOT / "docs" / "pictures"
STARS = 24_000
#: log10 of the surface densities (solMass/kpc2) that are black and white.
STRETCH = (4.7, 8.9)
#: Of the discs of the N-body collision, from their angular momenta in the first snapshot.
SPINS = ((-0.21153, -0.364907, 0.906696), (0.556417, -0.663527, 0.500132))


def main(arguments: Sequence[str]) -> int:
    """Draw all pictures whose data are there."""
    draw_classics(PICTURES / "encounters_classic.png")
    draw_moments(PICTURES / "encounters_moments.png")
    if arguments:
        merger = Path(arguments[0]) / "snapshots/gadget4_merger/mass_ratio_1to1"
        draw_comparison(merger, PICTURES / "encounters_nbody.png")
    return 0


def surface_density(
    place: np.ndarray, mass: np.ndarray, view: np.ndarray, width: float, size: int
) -> np.ndarray:
    """Stretched surface density (size, size) from 0 to 1, by the render stage.

    Parameters
    ----------
    view : ndarray, shape (3, 3)
        Rows: to the right, upwards, to the viewer.
    """
    settings = RenderSettings(
        size=size,
        channels=["stellar_mass"],
        field_of_view=width,
        field_of_view_unit="kpc",
        cameras={"isotropic": 0, "face_on": 1},
        smoothing_factor=1.15,
    )
    fields = {"position": place, "mass": mass, "smoothing_length": smoothing_lengths(place, 32)}
    galaxy = Galaxy({"galaxy_id": "x"}, {"stars": fields}, view)
    image = render_galaxy(galaxy, settings, seed=0, source="x").images[0, 0]
    low, high = STRETCH
    return np.clip((np.log10(np.maximum(image, 1.0)) - low) / (high - low), 0, 1)


def draw_classics(path: Path) -> None:
    """M51, the Antennae and the Mice, a row of moments each."""
    columns = len(CLASSICS[0].times)
    figure = new_figure(2.1 * columns, 2.25 * len(CLASSICS))
    axes = figure.subplots(len(CLASSICS), columns)
    for row, classic in zip(axes, CLASSICS):
        for axis, time, image in zip(row, classic.times, _moments_of(classic)):
            _show(axis, image)
            axis.set_title(f"{time:+.0f} Myr" if time else "pericentre", fontsize=9)
        row[0].set_ylabel(f"{classic.name} ({classic.width:.0f} kpc)", fontsize=10)
    save(figure, path, 110)


def _moments_of(classic: Classic) -> list[np.ndarray]:
    settings = EncounterSettings(stars=STARS)
    course = plan_course(classic.encounter, settings)
    kept = np.searchsorted(course.time, classic.times)
    moments = simulate_encounter(
        classic.encounter, course, settings, np.random.default_rng(1), kept=kept
    )
    tilt, longitude, roll = classic.view
    turn = Rotation.from_euler("ZYZ", [longitude, tilt, roll], degrees=True)
    view = turn.as_matrix().T
    return [surface_density(p, moments.mass, view, classic.width, 160) for p in moments.place]


def draw_moments(path: Path) -> None:
    """Moments of the default set as the network gets them: 64 pixels, 120 kpc."""
    settings = EncounterSettings()
    rows, columns = 6, 12
    figure = new_figure(columns * 0.95, rows * 0.95)
    for number in range(rows):
        galaxies = list(moments_of(f"e{number + 3:05d}", settings, 42))
        for place, galaxy in enumerate(galaxies[:columns]):
            axis = figure.add_subplot(rows, columns, number * columns + place + 1)
            stars = galaxy.components["stars"]
            turn = Rotation.random(rng=np.random.default_rng(number)).as_matrix()
            _show(axis, surface_density(stars["position"], stars["mass"], turn, 120.0, 64))
            time = galaxy.properties["time_since_pericentre"]
            axis.set_title(f"{time:+.0f}", fontsize=7, pad=2)
    save(figure, path, 110)


def draw_comparison(merger: Path, path: Path) -> None:
    """The N-body collision above the restricted one, and both separations of the nuclei."""
    with open(merger / "encounter.csv") as lines:
        table = list(csv.DictReader(lines))
    time = np.array([float(row["time_myr"]) for row in table])
    separation = np.array([float(row["separation_kpc"]) for row in table])
    galaxies = tuple(
        GalaxyModel(
            halo_mass=5.8e11,
            halo_scale=45.0 / (1 + math.sqrt(2)),
            disc_mass=4.2e10,
            disc_scale=5.0 / 1.678,
            bulge_mass=0.84e10,
            spin=spin,
        )
        for spin in SPINS
    )
    settings = EncounterSettings(stars=STARS)
    course = follow(
        pair_forces(*galaxies),
        np.array([60.0, 0.0]),
        np.array([-336.0, 76.0]),
        step=1.0,
        friction=settings.friction,
        merging_distance=settings.merging_distance,
        lead=settings.start_time,
        max_time=1000.0,
        remnant_time=300.0,
    )
    shown = [3, 4, 6, 8, 10, 12, 14, 15, 17, 18]
    since = course.time - course.time[0]
    kept = np.searchsorted(since, time[shown] - 0.5)
    moments = simulate_encounter(
        Encounter(*galaxies, pericentre=course.pericentre, eccentricity=math.nan),
        course,
        settings,
        np.random.default_rng(1),
        kept=kept,
    )
    figure = new_figure(14, 5.2)
    grid = figure.add_gridspec(3, len(shown), height_ratios=[1, 1, 1.5])
    for column, number in enumerate(shown):
        place, mass = _stars_of(merger / table[number]["file"])
        pictures = (place, mass), (moments.place[column], moments.mass)
        for row, (stars, name) in enumerate(zip(pictures, ("N-body", "restricted"))):
            axis = figure.add_subplot(grid[row, column])
            _show(axis, surface_density(*stars, np.eye(3), 120.0, 128))
            if not row:
                axis.set_title(f"{time[number]:.0f} Myr", fontsize=9)
            if not column:
                axis.set_ylabel(name)
    axis = figure.add_subplot(grid[2, :])
    axis.plot(since, course.separation, color=BLUE, label="restricted, one Coulomb logarithm")
    axis.plot(time, separation, "o", color=ORANGE, markersize=5, label="N-body (GADGET-4)")
    axis.set(xlabel="time since the start (Myr)", ylabel="separation of the nuclei (kpc)")
    axis.set(xlim=(0, 1090), ylim=(0, None))
    axis.legend(fontsize=9)
    save(figure, path, 110)


def _stars_of(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Places (kpc) about their mean, and masses, of discs, bulges and new stars of a snapshot."""
    with h5py.File(path) as file:
        parts = [file[name] for name in ("PartType2", "PartType3", "PartType4") if name in file]
        place = np.concatenate([part["Coordinates"][()] for part in parts]).astype(float)
        mass = np.concatenate([part["Masses"][()] for part in parts]) * 1e10
    return place - np.average(place, axis=0, weights=mass), mass


def _show(axis: Axes, image: np.ndarray) -> None:
    axis.imshow(image, cmap="inferno", vmin=0, vmax=1, interpolation="bilinear")
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_color(INK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
