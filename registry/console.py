"""What every verb of the command line shares: common options, output, exit codes and error handling."""

from __future__ import annotations

import errno
import functools
import inspect
import os
import select
import shutil
import sys
import traceback
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NoReturn, TypeVar

import typer

from registry.catalogue import say
from registry.errors import DigonceError, FileFaultError, Interrupted, Phrase, UsageError
from registry.plain import as_json
from registry.settings import Settings, default_language, resolve

if TYPE_CHECKING:
    import pandas as pd
    from rich.progress import Progress, TaskID

    from registry.store import Registry

EXIT_FAULT: Final = 1
EXIT_USAGE: Final = 2
EXIT_BUG: Final = 3
EXIT_INTERRUPTED: Final = 130
# as shells say of a command that lost its reader
EXIT_READER_GONE: Final = 141
# what the system says of a file that a person named: absent, a folder, closed to them, no space left
_OF_THE_USER: Final = frozenset(
    {
        errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT,
        errno.ENAMETOOLONG, errno.ETXTBSY,
    }
)  # fmt: skip
_MOST_YEARS: Final = 50
Result = TypeVar("Result")


def parse_day(text: str | None) -> date | None:
    """Read an ISO day, or None where the option was not given."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as fault:
        raise UsageError("day_unreadable", text=text) from fault


def parse_instant(text: str | None) -> datetime | None:
    """Read an ISO instant or day; without an offset it is taken as UTC."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as fault:
        raise UsageError("instant_unreadable", text=text) from fault
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def parse_years(text: str) -> range:
    """Read `2027-2031` or `2027` as a range of years."""
    first, _, last = text.partition("-")
    try:
        years = range(int(first), int(last or first) + 1)
    except ValueError as fault:
        raise UsageError("years_unreadable", text=text) from fault
    if not years or not 1900 <= years[0] <= 2200:
        raise UsageError("years_unreadable", text=text)
    if len(years) > _MOST_YEARS:
        raise UsageError("years_too_many", text=text, count=len(years), most=_MOST_YEARS)
    return years


AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DAY", help="What lay in the ground on this day (ISO).")]
KnownAt = Annotated[str | None, typer.Option("--known-at", metavar="TIME", help="What was known at this time (ISO).")]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Write to this file: .csv .xlsx .gpkg .geojson .parquet by suffix."),
]


@dataclass(frozen=True)
class Session:
    """One run of one verb: its settings and the ways to speak to the person."""

    settings: Settings
    is_json: bool
    # a verb that runs as part of another one keeps its results to itself
    is_silent: bool = False

    @property
    def language(self) -> str:
        """The language in which results are said."""
        return self.settings.language

    def say(self, code: str, /, **parameters: object) -> str:
        """Return the words for a code in the language of this run."""
        return Phrase(code, parameters).say(self.language)

    def tell(self, code: str, /, **parameters: object) -> None:
        """Print one sentence for a person; silent under --json."""
        if not self.is_json and not self.is_silent:
            typer.echo(self.say(code, **parameters))

    def warn(self, code: str, /, **parameters: object) -> None:
        """Print one sentence to the error stream, also under --json."""
        typer.echo(self.say(code, **parameters), err=True)

    def result(self, values: dict[str, Any]) -> None:
        """Print the machine-readable result; silent without --json."""
        if self.is_json and not self.is_silent:
            typer.echo(as_json(values))

    def tell_written(self, file: Path, row_count: int) -> None:
        """Say that a file is written, and of a workbook whose longest table exceeds a sheet where it goes on."""
        from registry.exports import SHEET_ROWS, WHOLE_SUFFIXES

        self.tell("written", file=file)
        if file.suffix.lower() == ".xlsx" and row_count > SHEET_ROWS:
            self.tell("written_on_sheets", most=SHEET_ROWS, count=row_count, suffixes=" ".join(WHOLE_SUFFIXES))

    @property
    def columns(self) -> int:
        """How many characters a line of the terminal holds."""
        return shutil.get_terminal_size((100, 24)).columns

    @property
    def table_width(self) -> int:
        """How many characters wide a table may be."""
        from rich.console import Console

        return Console().width

    def table(self, rows: pd.DataFrame, headings: dict[str, str], title: str = "", whole: Collection[str] = ()) -> None:
        """Print rows as a table on the terminal; columns in `whole` are never folded. Silent under --json."""
        if self.is_json or self.is_silent:
            return
        from rich.console import Console
        from rich.table import Table

        drawn = Table(title=title or None)
        for column in headings:
            is_number = rows[column].dtype.kind in "iuf"
            justify: Literal["right", "left"] = "right" if is_number else "left"
            drawn.add_column(headings[column], justify=justify, overflow="fold", no_wrap=column in whole)
        for values in rows[list(headings)].itertuples(index=False):
            drawn.add_row(*[_cell(value) for value in values])
        Console().print(drawn)

    @contextmanager
    def progress(self) -> Generator[Progress]:
        """Show progress bars on the error stream while the block runs; nothing where it is not a terminal."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        ) as bars:
            yield bars

    @contextmanager
    def steps(self) -> Generator[Callable[[str, int, int], None]]:
        """Show the progress of long work by its steps: yields the function that the work reports to."""
        with self.progress() as bars:
            tasks: dict[str, TaskID] = {}

            def report(step: str, done: int, total: int) -> None:
                if step not in tasks:
                    tasks[step] = bars.add_task(self.say(f"step_{step}"), total=total)
                bars.update(tasks[step], completed=done, total=total)

            yield report

    @contextmanager
    def open(self) -> Generator[Registry]:
        """Open the registry of this run, starting the embedded server where needed."""
        from registry.store import open_registry

        with open_registry(self.settings) as registry:
            yield registry


def _cell(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


_COMMON: Final[list[inspect.Parameter]] = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])
    for name, kind, default, option in (
        ("registry", str | None, None, typer.Option("--registry", help="Registry to work on (env DIGONCE_REGISTRY).")),
        ("dsn", str | None, None, typer.Option("--dsn", help="A city's own PostGIS server (env DIGONCE_DSN).")),
        ("actor", str | None, None, typer.Option("--actor", help="Who acts; default the user of the system.")),
        ("lang", str | None, None, typer.Option("--lang", help="zh or en; default the locale.")),
        ("as_json", bool, False, typer.Option("--json", help="Print the result as JSON.")),
    )
]


def command(app: typer.Typer, name: str, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:  # noqa: ANN401
    """Mount a function `verb(session, ...)` as a command with the common options and exit codes.

    Exit 0 done, 1 a fault the user can mend (message, no traceback), 2 bad usage, 3 a bug (log file).
    """

    def mount(verb: Callable[..., None]) -> Callable[..., None]:
        hints = {key: value for key, value in inspect.get_annotations(verb, eval_str=True).items() if key != "return"}
        own = [
            parameter.replace(annotation=hints[parameter.name])
            for parameter in inspect.signature(verb).parameters.values()
            if parameter.name != "session"
        ]

        @functools.wraps(verb)
        def run(*arguments: Any, **options: Any) -> None:  # noqa: ANN401
            common = {parameter.name: options.pop(parameter.name) for parameter in _COMMON}
            _run(verb, common, arguments, options)

        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + _COMMON
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name, **settings)(run)
        return verb

    return mount


def _run(verb: Callable[..., None], common: dict[str, Any], arguments: Any, options: dict[str, Any]) -> None:  # noqa: ANN401
    language = common["lang"] or default_language()
    try:
        settings = resolve(common["registry"], common["dsn"], common["actor"], common["lang"])
        verb(Session(settings, common["as_json"]), *arguments, **options)
    except DigonceError as fault:
        typer.echo(fault.message(language), err=True)
        raise typer.Exit(EXIT_USAGE if isinstance(fault, UsageError) else EXIT_FAULT) from None
    except KeyboardInterrupt as stop:
        code, parameters = (stop.code, stop.parameters) if isinstance(stop, Interrupted) else ("interrupted", {})
        typer.echo(say(code, language, **parameters), err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except (typer.Exit, typer.Abort):
        raise
    except BrokenPipeError as fault:
        if not _reader_is_gone():
            _report_bug(fault, language)
        # the interpreter must find no pipe to flush at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(EXIT_READER_GONE) from None
    except OSError as fault:
        if fault.errno not in _OF_THE_USER:
            _report_bug(fault, language)
        refused = FileFaultError("file_refused", file=fault.filename or "", fault=fault.strerror or str(fault))
        typer.echo(refused.message(language), err=True)
        raise typer.Exit(EXIT_FAULT) from None
    except Exception as fault:
        _report_bug(fault, language)


def _reader_is_gone() -> bool:
    """Tell whether whoever read our output has closed it; another pipe that broke is another matter."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in output.poll(0))


def _report_bug(fault: Exception, language: str) -> NoReturn:
    """Write the traceback to a log that can be sent to us, and end with exit 3."""
    import platform
    import tempfile

    lines = ["# digonce bug report", "", f"- Python {platform.python_version()}, {platform.platform()}", ""]
    text = "\n".join(lines) + "```\n" + "".join(traceback.format_exception(fault)) + "```\n"
    with tempfile.NamedTemporaryFile("w", prefix="digonce-bug-", suffix=".md", delete=False, encoding="utf-8") as log:
        log.write(text)
    typer.echo(say("bug", language, fault=f"{type(fault).__name__}: {fault}", path=log.name), err=True)
    raise typer.Exit(EXIT_BUG) from None
