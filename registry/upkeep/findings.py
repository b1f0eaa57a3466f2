"""What a check says: findings that are wrong, notes on what could not be looked at, and the words for both."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.catalogue import say


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be: a code of the catalogue, its parameters and those that are codes too."""

    code: str
    parameters: dict[str, object] = field(default_factory=dict)
    # parameter -> code: words that are put into the sentence in its own language
    words: dict[str, str] = field(default_factory=dict)

    def message(self, language: str) -> str:
        """Say it in words, with the mend."""
        said = {name: say(code, language) for name, code in self.words.items()}
        return say(self.code, language, **self.parameters, **said)


@dataclass(frozen=True)
class Checked:
    """The result of a check: what is wrong, what could not be looked at, and how much was looked at."""

    findings: list[Finding]
    notes: list[Finding]
    looked_at: dict[str, int]

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing is wrong in what was looked at."""
        return not self.findings
