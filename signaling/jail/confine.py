"""What the child gives up before it looks at a stranger's bytes, and how much it may use. Called in the child only.

Where the system permits: the network (a namespace of its own without any device), the rights of root, and all calls
to the kernel but a few (`calls.py`). Always: new files, processes and privileges, core dumps, and memory and time
beyond its bounds. Without a free file descriptor nothing can be opened and nobody connected to, whatever a decoder is
talked into.
"""

import ctypes
import os
import resource
import signal

from signaling.jail import calls

MEMORY = 1 << 30  # bytes of address space
NOBODY = 65534
NICENESS = 10  # media goes first
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_PARENT_DEATH_SIGNAL, _DUMPABLE, _NO_NEW_PRIVILEGES = 1, 4, 38  # prctl

_libc = ctypes.CDLL(None, use_errno=True)


def enter(parent: int) -> None:
    """The part that comes before the decoders are loaded: no network, no new rights, no life without the parent."""
    _libc.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit("the parent has gone")
    os.nice(NICENESS)
    _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if _libc.unshare(_NEW_NETWORK) != 0:
        _libc.unshare(_NEW_USER | _NEW_NETWORK)


def close(*, cpu_seconds: int, files: int = 0) -> None:
    """The part that comes after: from here on there is what has been loaded and opened, and `files` more at a time."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        _libc.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)  # forgotten with the user
    _libc.prctl(_DUMPABLE, 0, 0, 0, 0)
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 3 + files if files else 0),
        (resource.RLIMIT_CPU, cpu_seconds),
    ):
        resource.setrlimit(limit, (value, value))
    calls.restrict(_libc)


def next_step(cpu_seconds: int) -> None:
    """Ends the process when this step has used so much more time, at the latest when all of them have theirs."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, all_steps = resource.getrlimit(resource.RLIMIT_CPU)
    until = int(used.ru_utime + used.ru_stime) + 1 + cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (min(until, all_steps), all_steps))
