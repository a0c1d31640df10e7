"""Header attributes of an IllustrisTNG snapshot and of its group catalogue."""

from __future__ import annotations

import numpy as np

from morphosphere.snapshots.mock.plan import BoxPlan
from morphosphere.snapshots.mock.tng_files import split
from morphosphere.snapshots.mock.tng_units import (
    HUBBLE,
    OMEGA_BARYON,
    OMEGA_LAMBDA,
    OMEGA_MATTER,
    Units,
)

SYSTEM = {
    "UnitLength_in_cm": 3.085678e21,
    "UnitMass_in_g": 1.989e43,
    "UnitVelocity_in_cm_per_s": 100000.0,
}


def _cosmology(plan: BoxPlan) -> dict[str, object]:
    return {
        "BoxSize": float(plan.settings.box_size),
        "HubbleParam": HUBBLE,
        "Omega0": OMEGA_MATTER,
        "OmegaLambda": OMEGA_LAMBDA,
        "Redshift": float(plan.settings.redshift),
        "Time": Units(plan.settings.redshift).scale_factor,
    }


def snapshot_headers(plan: BoxPlan) -> list[dict[str, object]]:
    """``/Header`` of each file of the snapshot."""
    files, total = plan.settings.files, plan.total
    counts = np.stack([np.diff(split(int(n), files)) for n in total], axis=1)
    table = np.zeros(6)
    table[1] = Units(plan.settings.redshift).mass(plan.settings.dark_matter_mass)
    common = {
        **_cosmology(plan),
        **SYSTEM,
        "OmegaBaryon": OMEGA_BARYON,
        "MassTable": table,
        "NumFilesPerSnapshot": np.int32(files),
        "NumPart_Total": (total & 0xFFFFFFFF).astype(np.uint32),
        "NumPart_Total_HighWord": (total >> 32).astype(np.uint32),
        "Flag_Cooling": np.int32(1),
        "Flag_DoublePrecision": np.int32(0),
        "Flag_Feedback": np.int32(1),
        "Flag_Metals": np.int32(0),
        "Flag_Sfr": np.int32(1),
        "Flag_StellarAge": np.int32(0),
        "Composition_vector_length": np.int32(0),
        "Git_commit": b"mock box of morphosphere",
        "Git_date": b"",
    }
    return [{**common, "NumPart_ThisFile": row.astype(np.int32)} for row in counts]


def catalogue_headers(plan: BoxPlan) -> list[dict[str, object]]:
    """``/Header`` of each file of the group catalogue."""
    files = plan.settings.files
    groups, subhalos = len(plan.group_subhalos), len(plan.kind)
    common = {
        **_cosmology(plan),
        "FlagDoubleprecision": np.int32(0),
        "NumFiles": np.int32(files),
        "Ngroups_Total": np.int32(groups),
        "Nsubgroups_Total": np.int32(subhalos),
        "Nids_ThisFile": np.int32(0),
        "Nids_Total": np.int64(0),
    }
    rows = zip(np.diff(split(groups, files)), np.diff(split(subhalos, files)))
    return [
        {**common, "Ngroups_ThisFile": np.int32(g), "Nsubgroups_ThisFile": np.int32(s)}
        for g, s in rows
    ]


def parameters(plan: BoxPlan) -> dict[str, object]:
    """``/Parameters`` of the snapshot: those that say something of its units and files."""
    return {
        **SYSTEM,
        "BoxSize": float(plan.settings.box_size),
        "HubbleParam": HUBBLE,
        "Omega0": OMEGA_MATTER,
        "OmegaBaryon": OMEGA_BARYON,
        "OmegaLambda": OMEGA_LAMBDA,
        "ComovingIntegrationOn": np.int32(1),
        "PeriodicBoundariesOn": np.int32(1),
        "NumFilesPerSnapshot": np.int32(plan.settings.files),
    }
