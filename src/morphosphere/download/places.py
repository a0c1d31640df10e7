"""Where downloaded files stand in a run's results, and what the rules hand to the stage."""

from __future__ import annotations

from morphosphere.config.collect import SurveySettings
from morphosphere.config.download import Hips2fitsSettings, TngApiSettings, TransferSettings

_TRANSFER = set(TransferSettings.model_fields)


def cutouts(results: str, simulation: str, snapshot: int) -> str:
    """Folder of the cutouts of one snapshot."""
    return f"{results}/snapshots/{simulation}/{snapshot}"


def images(results: str, survey: str) -> str:
    """Folder of a survey's downloaded images and what is known of them."""
    return f"{results}/surveys/{survey}"


def manifest(folder: str) -> str:
    """The file that is there when all others are."""
    return f"{folder}/manifest.json"


def what(settings: TngApiSettings | Hips2fitsSettings) -> str:
    """Settings that decide what is fetched, as JSON."""
    return settings.model_dump_json(exclude=_TRANSFER)


def how(settings: TngApiSettings | Hips2fitsSettings) -> str:
    """Settings that decide how it is fetched, as JSON; a change of them makes nothing run again."""
    return settings.model_dump_json(include=_TRANSFER)


def as_survey(settings: SurveySettings, folder: str) -> SurveySettings:
    """Settings for collecting downloaded images as those of any folder.

    Without a table of its own, the survey's table is that of the positions.
    """
    if settings.hips2fits is None:
        return settings
    several = isinstance(settings.hips2fits.hips, list)
    changes: dict[str, object] = {
        "hips2fits": None,
        "path": f"{folder}/images",
        "pattern": "{id}_{band}.fits" if several else f"*.{settings.hips2fits.format}",
    }
    if settings.table is None:
        changes |= {"table": f"{folder}/objects.csv", "table_id": "id"}
    return settings.model_copy(update=changes)
