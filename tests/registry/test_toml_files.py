"""Scenario, policy and mapping files as editors leave them, and what is said of those that cannot be read."""

from __future__ import annotations

import codecs
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from planner.policy import read_policy
from planner.scenario import written_scenario
from registry.errors import DigonceError
from registry.intake.mapping import read_mapping
from registry.kinds import KINDS
from registry.toml_files import read_toml
from tests.conftest import REPOSITORY

READERS: dict[str, Callable[[Path], object]] = {
    "scenario": written_scenario,
    "policy": read_policy,
    "mapping": lambda path: read_mapping(path, KINDS["segments"]),
}


def sound(reader: str) -> str:
    """Return the text of a file that the reader takes."""
    if reader == "policy":
        return files("planner").joinpath("policies", "default.toml").read_text(encoding="utf-8")
    if reader == "mapping":
        return (REPOSITORY / "tests" / "kitchener" / "segments.toml").read_text(encoding="utf-8")
    return 'name = "情景"\n'


@pytest.mark.parametrize("reader", READERS)
def test_a_byte_order_mark_changes_nothing(reader: str, tmp_path: Path) -> None:
    plain, marked = tmp_path / "plain.toml", tmp_path / "marked.toml"
    plain.write_text(sound(reader), encoding="utf-8")
    marked.write_bytes(codecs.BOM_UTF8 + plain.read_bytes())
    assert READERS[reader](marked) == READERS[reader](plain)


def test_a_part_of_a_policy_may_have_a_byte_order_mark(tmp_path: Path) -> None:
    packaged = files("planner")
    for folder in ("policies", "prices"):
        shutil.copytree(Path(str(packaged.joinpath(folder))), tmp_path / folder)
    policy = tmp_path / "default.toml"
    shutil.copy(tmp_path / "policies" / "default.toml", policy)
    for part in (tmp_path / "prices").glob("*.toml"):
        part.write_bytes(codecs.BOM_UTF8 + part.read_bytes())
    assert read_policy(policy) == read_policy()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda path: path.mkdir(), ("it is a folder", "文件夹")),
        (lambda path: path.write_bytes('name = "情景"'.encode("gb18030")), ("not in UTF-8", "编码不是 UTF-8")),
        (lambda path: path.write_bytes('name = "情景"'.encode("utf-16")), ("not in UTF-8", "编码不是 UTF-8")),
        (lambda path: path.write_text("name = [", encoding="utf-8"), ("no TOML", "不符合 TOML")),
        (lambda path: path.unlink(missing_ok=True), ("no", "不存在")),
    ],
    ids=["folder", "gb18030", "utf-16", "broken", "absent"],
)
def test_what_cannot_be_read_is_told_in_words(
    reader: str, made: Callable[[Path], object], words: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "file.toml"
    made(path)
    with pytest.raises(DigonceError) as caught:
        READERS[reader](path)
    for language, word in zip(("en", "zh"), words, strict=True):
        message = caught.value.message(language)
        assert word in message
        assert path.name in message
        assert "Errno" not in message
        assert "codec" not in message


def test_a_closed_file_is_told_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ValueError, match="you may not read it"):
        read_toml(tmp_path / "closed.toml")
