"""The C code under test, compiled once per run."""

import ctypes

import pytest

from tests.support.native import Parsers, build


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return build(tmp_path_factory.mktemp("native"))


@pytest.fixture(scope="session")
def parsers(library: ctypes.CDLL) -> Parsers:
    return Parsers(library)
