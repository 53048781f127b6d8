"""Finishing what a kill left behind, in a process of its own: files hold what strangers sent."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

PATIENCE = 600.0  # seconds

Repaired = tuple[Path, dict[str, Any] | None, str]
"""The folder, its index (None: it could not be finished), and why that is."""


async def repaired(root: Path) -> list[Repaired]:
    """What became of each recording in `root`, or in folders below it, that nobody had finished."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mediaserver.composition.worker", "--repair", str(root),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    except TimeoutError:
        process.kill()
        return []
    try:
        found = json.loads(out)
    except ValueError:
        return []
    return [(Path(each["path"]), each["index"], str(each.get("why", ""))) for each in found]
