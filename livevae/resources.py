"""Where models, presets and the default livevae.toml are found, in a checkout or installed."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

from livevae.errors import UsageError

_PACKAGE: Final = Path(__file__).resolve().parent
SHARE: Final = _PACKAGE / "share" if (_PACKAGE / "share").is_dir() else _PACKAGE.parent
"""The folder that holds ``models/`` and ``presets/``: packaged, or the top of the checkout."""


def user_data() -> Path:
    """Return the folder for the user's own models and presets."""
    import platformdirs  # noqa: PLC0415 - the player needs no folders

    return platformdirs.user_data_path("livevae", appauthor=False)


def user_config() -> Path:
    """Return the path of the user's own livevae.toml."""
    import platformdirs  # noqa: PLC0415

    return platformdirs.user_config_path("livevae", appauthor=False) / "livevae.toml"


def find_model(name_or_path: str) -> Path:
    """Return the folder of a model given by a path, or by the name of a user's or shipped model.

    Raises:
        UsageError: there is no such model; the sentence names those there are.
    """
    shelves = (user_data() / "models", SHARE / "models")
    with contextlib.suppress(OSError, RuntimeError):  # too long for a path; ~ of nobody known
        candidates = (Path(name_or_path).expanduser(), *(shelf / name_or_path for shelf in shelves))
        for folder in candidates:
            if (folder / "config.json").is_file():
                return folder
    known = sorted({path.parent.name for shelf in shelves for path in shelf.glob("*/config.json")})
    raise UsageError(
        f"there is no model {name_or_path!r}; give a model folder or one of: "
        f"{', '.join(known) or 'none is installed'}"
    )
