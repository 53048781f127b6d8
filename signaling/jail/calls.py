"""The few things the child may still ask the kernel for: memory, time, and reading and writing what is open.

A seccomp filter, the last thing that is closed. Whatever is not in the table fails with EPERM, so a decoder that was
taken over can neither signal nor trace other processes of its user, nor delete or rename their files, nor reach the
kernel's rarer parts. Files can be opened for reading only, as far as any can. See seccomp(2) and linux/filter.h.
"""

import ctypes
import platform
import struct

# name: number on x86_64, on aarch64 (None: it has none)
CALLS: dict[str, tuple[int, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "stat": (4, None),
    "fstat": (5, 80),
    "lstat": (6, None),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "getpid": (39, 172),
    "exit": (60, 93),
    "uname": (63, 160),
    "fcntl": (72, 25),
    "getcwd": (79, 17),
    "readlink": (89, None),
    "gettimeofday": (96, 169),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "getppid": (110, 173),
    "sigaltstack": (131, 132),
    "setrlimit": (160, 164),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "getdents64": (217, 61),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "newfstatat": (262, 79),
    "readlinkat": (267, 78),
    "prlimit64": (302, 261),
    "getrandom": (318, 278),
    "statx": (332, 291),
}
OPENAT = (257, 56)
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above; linux/audit.h
_WRITING = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC
_NUMBER, _ARCHITECTURE, _THIRD_ARGUMENT = 0, 4, 32  # where they stand in seccomp_data
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # refused: EPERM
_SET_SECCOMP, _FILTER = 22, 2  # prctl


def restrict(libc: ctypes.CDLL) -> bool:
    """From here on only `CALLS`; False where the system or the machine knows no such filter."""
    if platform.machine() not in _ARCHITECTURES:
        return False
    program = program_for(platform.machine())
    code = ctypes.create_string_buffer(program, len(program))
    length_and_address = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    return bool(libc.prctl(_SET_SECCOMP, _FILTER, ctypes.create_string_buffer(length_and_address), 0, 0) == 0)


def program_for(machine: str) -> bytes:
    column, architecture = _ARCHITECTURES[machine]
    steps = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, architecture, yes=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        _step(_EQUAL, OPENAT[column], no=4),
        _step(_LOAD, _THIRD_ARGUMENT),
        _step(_ANY_BIT, _WRITING, no=1),
        _step(_RETURN, _REFUSE),
        _step(_RETURN, _ALLOW),
    ]
    for numbers in CALLS.values():
        number = numbers[column]
        if number is not None:
            steps += [_step(_EQUAL, number, no=1), _step(_RETURN, _ALLOW)]
    return b"".join([*steps, _step(_RETURN, _REFUSE)])


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; `yes` and `no` are how many of the next ones to skip."""
    return struct.pack("=HBBI", code, yes, no, value)
