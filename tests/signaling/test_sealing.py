"""Secrets in the database: back with the same key, with no other."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from signaling.sealing import KEY_FILE, BrokenSeal, Seal

VALUES = {"secret_access_key": "very secret"}


@pytest.mark.parametrize("secret", ["", "a key of the settings"])
def test_what_is_sealed_is_opened_by_another_who_has_the_key(tmp_path: Path, secret: str):
    sealed = Seal(secret, tmp_path / KEY_FILE).close(VALUES)
    assert "very secret" not in sealed
    assert Seal(secret, tmp_path / KEY_FILE).open(sealed) == VALUES


def test_the_same_secrets_are_never_sealed_alike(tmp_path: Path):
    seal = Seal("", tmp_path / KEY_FILE)
    assert seal.close(VALUES) != seal.close(VALUES)


@pytest.mark.parametrize("altered", ["", "nonsense", "gAAAAA=="])
def test_what_was_altered_is_not_opened(tmp_path: Path, altered: str):
    with pytest.raises(BrokenSeal):
        Seal("", tmp_path / KEY_FILE).open(altered)


def test_another_key_opens_nothing(tmp_path: Path):
    sealed = Seal("one", tmp_path / KEY_FILE).close(VALUES)
    with pytest.raises(BrokenSeal):
        Seal("another", tmp_path / KEY_FILE).open(sealed)


def test_the_file_is_its_owners_alone_and_the_first_ones(tmp_path: Path):
    seals = [Seal("", tmp_path / KEY_FILE) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda seal: seal.close(VALUES), seals))
    assert all(seals[0].open(each) == VALUES for each in sealed)
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]
