"""`python -m benchmarks [name] [--quick]`: lists the benchmarks, or runs one and keeps its result beside the others."""

import argparse
import importlib
import json
import platform
import subprocess
import time
from pathlib import Path

NAMES = ("forward", "join", "conferences")
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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("name", nargs="?", choices=NAMES)
    parser.add_argument("--quick", action="store_true", help="fewer cases")
    parser.add_argument("--churn", type=int, metavar="N", help="conferences: so many joins and leaves")
    parser.add_argument("--no-store", action="store_true", help="do not keep the result")
    arguments = parser.parse_args()
    if not arguments.name:
        for name in NAMES:
            module = importlib.import_module(f"benchmarks.{name}")
            print(f"{name:12} {(module.__doc__ or '').splitlines()[0]}")
        return
    options = {"churn": arguments.churn} if arguments.name == "conferences" and arguments.churn else {}
    rows = importlib.import_module(f"benchmarks.{arguments.name}").run(quick=arguments.quick, **options)
    if not arguments.no_store:
        store(arguments.name, rows)


if __name__ == "__main__":
    main()
