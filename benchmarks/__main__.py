"""`python -m benchmarks [name] [--quick]`: lists the benchmarks, or runs one and keeps its result beside the others."""

import argparse
import importlib
import json
import platform
import subprocess
import time
from pathlib import Path

NAMES = ("forward", "compose", "record", "join", "upgrade", "conferences", "control", "impaired", "requests", "versus")
RESULTS = Path(__file__).parent / "results"


def commit() -> str:
    answer = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"


def store(name: str, rows: list[dict[str, object]]) -> None:
    """Appends one line: date, commit, machine, figures."""
    line = {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit(),
        "machine": f"{platform.machine()}, Linux {platform.release()}, Python {platform.python_version()}",
        "rows": rows,
    }
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("name", nargs="?", choices=NAMES)
    parser.add_argument("--quick", action="store_true", help="fewer cases")
    parser.add_argument("--no-store", action="store_true", help="do not keep the result")
    parser.add_argument("--churn", type=int, metavar="N", help="conferences: so many joins and leaves")
    parser.add_argument("--kills", type=int, metavar="N", help="record: kill a recording worker so many times")
    versus = parser.add_argument_group("versus")
    versus.add_argument("--cases", default="", help="of these names, with semicolons between, as '10 x 10;1 to 100'")
    versus.add_argument("--servers", default="", help="of these names, likewise")
    versus.add_argument("--whip", default="", metavar="URL", help="one more server: where to publish ({room}, {n})")
    versus.add_argument("--whep", default="", metavar="URL", help="its other end: where to play publisher {n}")
    versus.add_argument("--token", default="", help="the bearer token for both")
    versus.add_argument("--pid", type=int, help="that server's process, if it runs here")
    return parser.parse_args()


def options_of(given: argparse.Namespace) -> dict[str, object]:
    """What the benchmark of this name takes beside `quick`."""
    if given.name == "conferences" and given.churn:
        return {"churn": given.churn}
    if given.name == "record" and given.kills:
        return {"kills": given.kills}
    if given.name != "versus":
        return {}
    from benchmarks.versus.whip import Address

    address = Address(given.whip, given.whep, given.token, given.pid) if given.whip and given.whep else None
    return {"cases": given.cases, "servers": given.servers, "address": address, "picture": not given.no_store}


def main() -> None:
    given = arguments()
    if not given.name:
        for name in NAMES:
            module = importlib.import_module(f"benchmarks.{name}")
            print(f"{name:12} {(module.__doc__ or '').splitlines()[0]}")
        return
    rows = importlib.import_module(f"benchmarks.{given.name}").run(quick=given.quick, **options_of(given))
    if not given.no_store:
        store(given.name, rows)


if __name__ == "__main__":
    main()
