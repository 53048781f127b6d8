"""What a process uses, as the kernel tells it in /proc: CPU by thread, memory."""

from pathlib import Path


def threads_cpu(pid: int) -> dict[tuple[str, int], float]:
    """CPU seconds by name and number of the thread, as the scheduler counts them, to the nanosecond."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            used = int((task / "schedstat").read_text().split()[0]) / 1e9
            found[(task / "comm").read_text().strip(), int(task.name)] = used
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
    return found


def cpu_between(before: dict[tuple[str, int], float], after: dict[tuple[str, int], float]) -> float:
    """Seconds used by all threads that were still there afterwards."""
    return sum(used - before.get(thread, 0.0) for thread, used in after.items())


def pss(pid: int) -> int:
    """Bytes of memory: its own, and its part of what it shares (PSS), without pages of files. Of those a process has
    the less the more others happen to run the same libraries."""
    lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines())
    return sum(int(fields[1]) * 1024 for fields in lines if fields[0] in ("Pss_Anon:", "Pss_Shmem:"))
