"""What people look and sound like in end-to-end tests; drawn, played, seen and heard by `signals.js` in each page."""

from pathlib import Path

SCRIPT = Path(__file__).with_suffix(".js").read_text()
WHIP = Path(__file__).with_name("whip.js").read_text()
"""To be called behind it by pages that publish and play over HTTP."""


def script(call: str = "") -> str:
    """For a page to run before its own scripts; `call`, such as `signals.blockUdp()`, comes after it."""
    return f"(() => {{ if (window.signals) return;\n{SCRIPT}\n{call};\n}})();"
