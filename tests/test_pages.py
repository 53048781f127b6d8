"""The conference page names the modules it needs, so that a browser fetches them at once, not one after another."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parent.parent / "static"
IMPORT = re.compile(r'^(?:import|export)\b[^"\'(]*?from "(\.[^"]+)";$', re.MULTILINE)
SCRIPT = re.compile(r'<script type="module"[^>]* src="/static/([^"]+)">')
PRELOAD = re.compile(r'<link rel="modulepreload" href="/static/([^"]+)">')
DYNAMIC = re.compile(r'\bimport\("(\.[^"]+)"\)(?!\.)')  # a type's has a dot behind it


def needed(module: Path, found: set[Path]) -> set[Path]:
    """With everything that it imports before it runs."""
    if module not in found:
        found.add(module)
        for name in IMPORT.findall(module.read_text()):
            needed((module.parent / name).resolve(), found)
    return found


def test_the_conference_page_preloads_exactly_the_modules_it_needs() -> None:
    page = (STATIC / "room.html").read_text()
    scripts = {STATIC / name for name in SCRIPT.findall(page)}
    modules: set[Path] = set()
    for script in scripts:
        needed(script, modules)
    assert [STATIC / name for name in sorted(PRELOAD.findall(page))] == sorted(modules - scripts | entries(page))


def entries(page: str) -> set[Path]:
    """Those of the page's scripts that stand in the list of preloads as well."""
    return {STATIC / name for name in SCRIPT.findall(page)} & {STATIC / name for name in PRELOAD.findall(page)}


def test_the_conference_page_begins_with_a_script_that_waits_for_no_other() -> None:
    first = SCRIPT.findall((STATIC / "room.html").read_text())[0]
    assert needed(STATIC / first, set()) == {STATIC / first}


@pytest.mark.parametrize("module", sorted(STATIC.rglob("*.js")), ids=lambda path: path.relative_to(STATIC).as_posix())
def test_what_a_module_imports_is_there(module: Path) -> None:
    text = module.read_text()
    missing = [name for name in IMPORT.findall(text) + DYNAMIC.findall(text) if not (module.parent / name).is_file()]
    assert missing == []
