"""Addresses for paths of any length, and connection strings that libpq reads as they were meant."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg.conninfo
from hypothesis import given
from hypothesis import strategies as st

from registry.cluster import socket
from registry.cluster.leftovers import SOCKET_NAME

TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1)


@given(TEXT, TEXT, TEXT)
def test_libpq_reads_back_what_was_written(host: str, database: str, user: str) -> None:
    read = psycopg.conninfo.conninfo_to_dict(socket.connection_string(host, database, user))
    assert read == {
        "host": host,
        "port": "5432",
        "user": "digonce",
        "dbname": database,
        "requirepeer": user,
    }


def folder_with_socket_path_of(length: int, letter: str) -> Path:
    size = length - len("//") - len(SOCKET_NAME)
    count, rest = divmod(size, len(letter.encode()))
    return Path("/" + letter * count + "x" * rest)


def test_socket_paths_end_at_107_bytes() -> None:
    for letter in ("a", "管"):
        longest = folder_with_socket_path_of(107, letter)
        assert len(os.fsencode(longest / SOCKET_NAME)) == 107
        assert socket.is_plain(longest)
        assert not socket.is_plain(folder_with_socket_path_of(108, letter))


def test_comma_would_be_two_hosts() -> None:
    assert socket.is_plain(Path("/a b"))
    assert not socket.is_plain(Path("/a,b"))


def test_long_folder_is_held_open_once(tmp_path: Path) -> None:
    folder = tmp_path / "a,b"
    folder.mkdir()
    host = socket.socket_host(folder)
    assert host == socket.socket_host(folder)
    assert Path(host).samefile(folder)
    assert not os.get_inheritable(socket.socket_descriptor(folder))


def test_folder_made_anew_is_opened_anew(tmp_path: Path) -> None:
    folder = tmp_path / "a,b"
    folder.mkdir()
    socket.socket_host(folder)
    folder.rename(tmp_path / "old")
    folder.mkdir()
    assert Path(socket.socket_host(folder)).samefile(folder)
