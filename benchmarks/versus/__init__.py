"""Are we the fastest? Folkmoot, Janus and a bare loop of sendto under the same load, on the same core, in turn.

The load: real WebRTC clients (ICE, DTLS, SRTP, reports) of the native load generator. Publishers send VP8 as a browser
at 1 Mbit/s, 25 pictures a second of 5 packets of 1000 bytes that leave in one go; with sound, Opus too, 50 packets a
second. No simulcast, no retransmissions asked for. AES-128-GCM for everybody (who does not know it gets AES-CM-SHA1-80;
the table's reader is told). Servers: Folkmoot with one packet thread; Janus as Debian packages it (its libsrtp uses
NSS), its video room, with its default threading (one thread per handle) and with one event loop; no logging in either.

The server has the first core, the generator the last, both before all other work, and all goes by loopback, where the
kernel charges what it takes to deliver a packet to its sender. Clients take runs of packets whole (UDP_GRO), as network
cards with that offload do: a server that sends runs (UDP_SEGMENT) gains by it. CPU is that of all the server's threads
(schedstat); memory is PSS without files' pages, its growth divided by those who receive. Latency is from a publisher's
sending to the arrival in the subscriber's kernel. The floor beside each figure is measured right after it, in turn, by
the same receiving sockets.

The highest rate: pictures come faster, their packets as many as before, until 0.5 % do not arrive (in time: what is
queued has not arrived), or until the generator can do no more, which is said. Meanwhile one packet in 16 is decrypted.
Half of that rate is where latency has its bar.

Where the packet thread's time goes (perf, cpu-clock, shares of its samples), ten people who see each other:

                                          a browser's pace    half busy
    kernel, sending                             25 %             33 %
    kernel, waking who receives                 14 %             14 %
    AES-GCM (libcrypto)                         25 %             30 %
    our own code: numbers, headers, timers      22 %             12 %
    kernel, receiving                            5 %              4 %
    kernel, waiting                              6 %              4 %
    the rest                                     3 %              3 %

At a browser's pace an eighth to a quarter is its waking every 5 ms for what is due; that vanishes as the rate grows.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.versus.bars import bars
from benchmarks.versus.cases import CASES, Case
from benchmarks.versus.folkmoot import Folkmoot, FolkmootWhep
from benchmarks.versus.janus import Janus
from benchmarks.versus.measure import Effort, measured
from benchmarks.versus.priority import first_in_line
from benchmarks.versus.row import Row
from benchmarks.versus.table import HEADS, cells, number, percent, table
from benchmarks.versus.target import Target
from benchmarks.versus.whip import Address, Whip

FULL = Effort()
QUICK = Effort(window=1.0, repeats=3, step=0.8, precision=0.15)
QUICK_CASES = ("1 to 10", "1 to 100", "10 x 10", "1 to 1000")
PICTURE = Path(__file__).parents[1] / "results" / "versus.png"


def targets(address: Address | None) -> list[Target]:
    """Whoever can be measured here."""
    found: list[Target] = [Folkmoot(), FolkmootWhep()]
    if Janus.installed():
        found += [Janus(), Janus(event_loops=1)]
    else:
        print("  Janus is not installed (apt-get install janus): measured without it")
    if address:
        found.append(Whip(address))
    return found


def tell(text: str) -> None:
    """One line that is written over, where there is somebody to read it."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K  {text}", end="", file=sys.stderr, flush=True)


async def compared(cases: Sequence[Case], servers: Sequence[Target], effort: Effort) -> list[Row]:
    rows: list[Row] = []
    for case in cases:
        for server in servers:
            if not case.suits(server.name, server.meets):
                continue
            try:
                row = await measured(server, case, effort, tell)
            except (OSError, RuntimeError, TimeoutError) as problem:
                print(f"  {case.name}, {server.name}: could not be measured: {problem!r}", flush=True)
                continue
            rows.append(row)
            tell("")
            print("  " + told(row), flush=True)
    return rows


def told(row: Row) -> str:
    """One line while the others are still to come."""
    c = dict(zip(HEADS, cells(row), strict=True))
    return (
        f"{row.case}, {row.target}: {c['us a packet']} us CPU per forwarded packet {c['(least-most)']}, "
        f"{number(row.ratio, 2)} x bare sendto; loss {c['loss']}, latency p50 {c['p50 ms']} ms, p99 {c['p99 ms']} ms, "
        f"{c['KiB each']} KiB each; at most {c['most packets/s']} packets/s ({c['because']}), there "
        f"{c['us there']} us, {number(row.highest_ratio, 2)} x bare; p99 {c['p99 at half']} ms at half of it [server "
        f"{percent(row.server_busy)}, loader {percent(row.generator_busy)} busy; {row.cipher}]"
    )


def run(
    quick: bool = False, cases: str = "", servers: str = "", address: Address | None = None, picture: bool = True
) -> list[dict[str, object]]:
    effort = QUICK if quick else FULL
    wanted = cases.split(";") if cases else QUICK_CASES if quick else [case.name for case in CASES]
    chosen = [case for case in CASES if case.name in wanted]
    found = [server for server in targets(address) if not servers or server.name in servers.split(";")]
    conditions = (
        "VP8 of 25 pictures/s in 5 packets of 1000 bytes, AES-128-GCM, loopback, server on one core, load generator on "
        f"another; Folkmoot: {Folkmoot.threads}; Janus {Janus.version()}"
    )
    print(f"versus: {conditions}")
    with first_in_line() as first:
        if not first:
            print("  at ordinary priority (not root): other work on this machine disturbs more")
        rows = asyncio.run(compared(chosen, found, effort))
    print("\n" + table(rows) + "\n")
    for bar in bars(rows):
        print(f"  {bar}")
    if rows and picture:
        draw(rows, conditions)
    return [row.stored() for row in rows]


def draw(rows: Sequence[Row], conditions: str) -> None:
    try:
        from benchmarks.versus.plot import plot
    except ImportError:
        print("  no picture: matplotlib is not installed (pip install '.[bench]')")
        return
    PICTURE.parent.mkdir(exist_ok=True)
    plot(rows, conditions, PICTURE)
    print(f"  drawn: {PICTURE}")
