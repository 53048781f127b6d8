"""What an installed wheel holds: every package of the checkout, and the pages."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def test_every_package_of_the_checkout_is_installed():
    found = {
        ".".join(path.relative_to(ROOT).parts)
        for top in ("mediaserver", "signaling")
        for path in (ROOT / top, *(ROOT / top).rglob("*"))
        if path.is_dir() and any(path.glob("*.py"))
    }
    assert found | {"signaling.static"} == set(SETUPTOOLS["packages"])


def test_every_c_file_of_the_core_is_built():
    [core] = SETUPTOOLS["ext-modules"]
    native = ROOT / "mediaserver" / "native"
    written = {f"mediaserver/native/{path.name}" for path in native.glob("*.c") if path.name != "_native.c"}
    assert written | {"mediaserver/native/_native.pyx"} == set(core["sources"])


def test_what_the_core_includes_is_built_anew_with_it_and_goes_into_an_archive():
    [core] = SETUPTOOLS["ext-modules"]
    native = ROOT / "mediaserver" / "native"
    included = {f"mediaserver/native/{path.name}" for kind in ("*.h", "*.pxi") for path in native.glob(kind)}
    assert included == set(core["depends"])


def test_every_kind_of_page_file_is_installed():
    static = ROOT / "static"
    depth = max(len(path.relative_to(static).parts) for path in static.rglob("*") if path.is_file())
    assert depth <= len(SETUPTOOLS["package-data"]["signaling.static"])
