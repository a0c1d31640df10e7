"""Settings of surveys that contradict each other."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from morphosphere.config.transfer import TransferSettings

_THREE = {"classes": {name: {"where": f"T == {n}"} for n, name in enumerate("abc")}}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"learn": {"split": {"test": 0.5}}}, r"learn\.split: leave it out"),
        ({"adapt": {"split": {"test": 0.5}}}, r"adapt\.split: leave it out"),
        ({"label": _THREE, "curve": [2, 20]}, "at least 3"),
        ({"curve": [20, 20]}, "different numbers"),
    ],
)
def test_what_would_not_be_heeded_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TransferSettings.model_validate(given)


def test_settings_that_were_written_out_are_read_again() -> None:
    given = TransferSettings.model_validate({"split": {"test": 0.4}})
    assert TransferSettings.model_validate_json(given.model_dump_json()) == given
