"""Errors of digonce: one base, a code, and the words for it in the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.catalogue import joined, say


@dataclass(frozen=True)
class Phrase:
    """A part of a message that is said in the language of the whole: a code of the catalogue and its parameters."""

    code: str
    parameters: dict[str, object] = field(default_factory=dict)

    def say(self, language: str) -> str:
        """Return the words."""
        return say(self.code, language, **{name: _said(part, language) for name, part in self.parameters.items()})

    def or_alone(self, name: str) -> Phrase:
        """Return the phrase, or `<code>_alone` where the parameter has nothing to say."""
        return self if self.parameters.get(name) is not None else Phrase(f"{self.code}_alone", self.parameters)


class DigonceError(Exception):
    """A fault that the user can mend: what is wrong, where, and what to do.

    Carry a catalogue code and its parameters, never finished text, so that the same error can be said in
    Chinese and in English; a parameter may be a phrase or a tuple of phrases. Subclasses also inherit the builtin that
    a caller would catch.
    """

    def __init__(self, code: str, /, **parameters: object) -> None:
        self.code = code
        self.parameters = parameters
        super().__init__(code)

    def message(self, language: str = "en") -> str:
        """Say the error in the given language."""
        return say(self.code, language, **{name: _said(part, language) for name, part in self.parameters.items()})

    def __str__(self) -> str:
        return self.message()


def _said(part: object, language: str) -> object:
    """Return a parameter as it is, or the words of the phrases that it consists of."""
    if isinstance(part, Phrase):
        return part.say(language)
    if isinstance(part, tuple) and part and all(isinstance(entry, Phrase) for entry in part):
        return joined((entry.say(language) for entry in part), language, "semicolon")
    return part


class SettingsError(DigonceError, ValueError):
    """A setting, option or environment variable cannot be used."""


class UsageError(SettingsError):
    """A command was called with an argument that it does not have; nothing was tried."""


class FileFaultError(DigonceError, ValueError):
    """A delivered file as a whole cannot be used; nothing was written."""


class MappingError(DigonceError, ValueError):
    """A mapping file names something that does not exist."""


class FrameError(DigonceError, ValueError):
    """A frame does not keep its contract in fields.csv."""


class ClusterError(DigonceError, RuntimeError):
    """The embedded PostgreSQL server cannot be started, reached or stopped."""


class DatabaseError(DigonceError, RuntimeError):
    """The database refuses: missing, not migrated, without rights, or gone."""


class RightsError(DigonceError, PermissionError):
    """The one who acts may not do this, or not with these rows."""


class EditError(DigonceError, ValueError):
    """A change by hand is not understood, would change nothing, or comes too late."""


class ReviewError(DigonceError, ValueError):
    """A delivery is not in the state that this needs, or later deliveries stand in the way."""


class DependentDeliveriesError(ReviewError):
    """Later deliveries build on the one that is to be taken back."""


class NotFoundError(DigonceError, LookupError):
    """A registry, delivery, segment or plan of that name does not exist."""


class UnknownKindError(NotFoundError, UsageError):
    """A registry keeps no such kind of data."""


class PolicyError(DigonceError, ValueError):
    """A policy file or one of its rule sets cannot be used."""


class PlanningError(DigonceError, ValueError):
    """A plan cannot be made from these inputs."""


class ModelFitError(PlanningError):
    """A forecast model cannot be fitted to a record; another one may."""


class MissingExtraError(DigonceError, ImportError):
    """A library that only an extra brings is not installed."""


class DrawingError(DigonceError, ValueError):
    """A map or report cannot be drawn from these inputs."""


class Interrupted(KeyboardInterrupt):
    """A person stopped the work; carry the code that says what became of it."""

    def __init__(self, code: str, /, **parameters: object) -> None:
        self.code = code
        self.parameters = parameters
        super().__init__(code)
