"""The shape of ban sets: when works close the ground, which exceptions there are, which days are closed."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from planner.policy_parts import Confidence, Named, Part, Positive, Text

PolicyClass = Literal["mandatory", "due", "assess", "keep"]
RoadClock = Literal["opened_on", "overhauled_on", "overlaid_on"]
DigMethod = Literal["open_trench", "trenchless", "emergency"]
WholeYears = Annotated[int, Field(ge=1, le=99)]


def _day_of_a_year(text: str) -> str:
    # 2000 was a leap year: 29 February is a day of a year
    date.fromisoformat(f"2000-{text}")
    return text


MonthDay = Annotated[str, Field(pattern=r"^\d{2}-\d{2}$"), AfterValidator(_day_of_a_year)]


class Counting(Part):
    """How a term of years is counted: with or without the day on which its clock starts."""

    counts_first_day: bool
    source: Text
    confidence: Confidence


class Quoted(Part):
    """What a rule or an exception is called and says, in both languages, and where that stands."""

    label_en: Text
    label_zh: Text
    quote_en: Text
    quote_zh: Text
    source: Text
    confidence: Confidence


class BanRule(Quoted):
    """One rule: after which works the ground is closed for how many years, and which exceptions it knows.

    Its clock is a day of the road (`road_clock`), the completion of projects of the kinds (`project_kinds`), or both.
    """

    code: Text
    cause: Text
    years: WholeYears
    road_clock: RoadClock | None = None
    project_kinds: tuple[str, ...] = ()
    exceptions: tuple[str, ...]

    @model_validator(mode="after")
    def _has_a_clock(self) -> Self:
        if self.road_clock is None and not self.project_kinds:
            message = "a rule needs road_clock, project_kinds or both"
            raise ValueError(message)
        return self


class BanException(Quoted):
    """One exception, with the conditions that can be told from the data; a condition left out always holds.

    `methods` are ways to dig; `before_project_kinds` asks for a project of these kinds on the same ground that begins
    within `before_within_days`. Whether a permit is then given is for the authority: `needs_approval` says so.
    """

    code: Text
    needs_approval: bool = False
    methods: tuple[DigMethod, ...] | None = None
    media: tuple[str, ...] | None = None
    policy_classes: tuple[PolicyClass, ...] | None = None
    maximum_diameter_mm: Positive | None = None
    before_project_kinds: tuple[str, ...] | None = None
    before_within_days: Positive | None = None

    @model_validator(mode="after")
    def _says_how_long_before(self) -> Self:
        if (self.before_project_kinds is None) != (self.before_within_days is None):
            message = "before_project_kinds and before_within_days go together"
            raise ValueError(message)
        return self


class Closure(Part):
    """Days of each year on which nobody may dig, both included; it may run over the end of the year."""

    code: Text
    media: tuple[str, ...] | None = None
    first_day: MonthDay
    last_day: MonthDay
    label_en: Text
    label_zh: Text
    source: Text
    confidence: Confidence


class Filing(Part):
    """The last day of a year on which the dig plan of the next year is filed."""

    last_day: MonthDay
    label_en: Text
    label_zh: Text
    source: Text
    confidence: Confidence


class BanSet(Named):
    """The dig bans of a city: rules, exceptions, closed days and the yearly filing date."""

    counting: Counting
    rules: tuple[BanRule, ...]
    exceptions: tuple[BanException, ...]
    published_exceptions: tuple[str, ...]
    closures: tuple[Closure, ...] = ()
    filing: Filing | None = None

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        for named in (self.rules, self.exceptions, self.closures):
            codes = [part.code for part in named]
            if len(codes) != len(set(codes)):
                message = "every rule, exception and closure needs a code of its own"
                raise ValueError(message)
        known = {exception.code for exception in self.exceptions}
        named_by_rules = {code for rule in self.rules for code in rule.exceptions} | set(self.published_exceptions)
        if strangers := sorted(named_by_rules - known):
            message = f"exceptions that are named but not described: {', '.join(strangers)}"
            raise ValueError(message)
        if strangers := sorted(code for code in known if "|" in code):
            message = f"a code may not hold a bar: {', '.join(strangers)}"
            raise ValueError(message)
        return self
