"""The file of consents in the folder of the user's settings."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ..atomic_files import write_text
from ..errors import BioimageioError, InputError, OutputError
from ..shown import Shown
from ..sources.locks import file_lock
from ..sources.user_folders import user_folder
from ..typing import FrozenMapping

__all__ = ["Consent", "Consents", "consents_from_environment"]

FILE = "trusted-models.json"


@attrs.frozen(kw_only=True, repr=False)
class Consent(Shown):
    """What the user trusted: a model as it was at that time."""

    model: str
    """Its name."""

    source: str
    """Where it was read from."""

    description: str
    """Hash of what its description says about code."""

    files: FrozenMapping[str, str]
    """SHA-256 of the files that may run, by the name in the description."""

    given: str
    """The date, as in ``2025-01-31``."""

    def __repr__(self) -> str:
        return f"<Consent {self.model!r} from {self.source}: {len(self.files)} file{'s' * (len(self.files) != 1)}, given {self.given}>"

    @property
    def digest(self) -> str:
        """Hash of what was trusted: the description and the files."""
        return hashlib.sha256(json.dumps([self.description, sorted(self.files.items())]).encode()).hexdigest()


@attrs.frozen(kw_only=True)
class Consents:
    """The consents of a user, kept in a file for all processes."""

    folder: Path | None
    """The folder of settings; None where the user has none."""

    def all(self) -> tuple[Consent, ...]:
        """Return the kept consents, the earliest first; none where there is no file, or it cannot be read."""
        try:
            tree = json.loads(self._file().read_text(encoding="utf-8"))
            return tuple(_consent(said) for said in tree.values())
        except (OSError, ValueError, TypeError, KeyError, AttributeError, BioimageioError):
            return ()

    def keep(self, consent: Consent) -> None:
        """Add a consent; it replaces an earlier one to the same.

        Raises:
            OutputError: The file cannot be written.
            InputError: The user has no folder of settings.

        """
        self._write({consent.digest: consent}, ())

    def revoke(self, consents: tuple[Consent, ...]) -> None:
        """Remove consents.

        Raises:
            OutputError: The file cannot be written.
            InputError: The user has no folder of settings.

        """
        self._write({}, [consent.digest for consent in consents])

    def _write(self, added: Mapping[str, Consent], removed: Any) -> None:
        path = self._file()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with file_lock(path.with_suffix(".lock")):
                kept = {consent.digest: consent for consent in self.all() if consent.digest not in removed}
                kept |= added
                tree = {digest: {**attrs.asdict(consent), "files": dict(consent.files)} for digest, consent in kept.items()}
                write_text(path, json.dumps(tree, indent=1), overwrite=True)
                path.chmod(0o600)
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(
                f"{path} cannot be written: {error.strerror or error}; the environment variable BMZ_CONFIG names another folder"
            ) from None

    def _file(self) -> Path:
        if self.folder is None:
            raise InputError("there is no folder for settings, since the user has no home: name one in the environment variable BMZ_CONFIG")
        return self.folder / FILE


def _consent(said: Mapping[str, Any]) -> Consent:
    files = FrozenMapping({str(name): str(sha256) for name, sha256 in said["files"].items()})
    texts = {name: str(said[name]) for name in ("model", "source", "description", "given")}
    return Consent(files=files, **texts)


def consents_from_environment() -> Consents:
    """Return the consents in the folder that the environment variable BMZ_CONFIG names, or in that of the user's settings."""
    named = os.environ.get("BMZ_CONFIG")
    return Consents(folder=Path(named).expanduser() if named else user_folder("settings"))
