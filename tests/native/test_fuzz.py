"""Every fuzz target compiles and goes through a few seconds of inputs; `python -m tests.native.fuzz` runs longer."""

from pathlib import Path

import pytest

from tests.native.fuzz.__main__ import TARGETS, compile_core, run_target
from tests.native.fuzz.seeds import SEEDS


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_core(tmp_path_factory.mktemp("fuzz"))


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_found_within_seconds(core: Path, target: str) -> None:
    assert run_target(target, core, seconds=2)


def test_every_seed_belongs_to_a_target() -> None:
    assert set(SEEDS) <= set(TARGETS)
