"""`folkmoot`, which is `python -m signaling`: settings, app, run.

`serve` runs until SIGTERM or SIGINT, then sends everybody away and is gone within `shutdown_grace_seconds`.
Exit codes: 0 after a signal, 1 if the server cannot start or a check fails, 2 for a wrong configuration.
"""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn

import structlog
import typer
from aiohttp import web

from signaling import doctor as checks
from signaling import logs
from signaling.configuration import BadSettings, load
from signaling.dev_keys import new_dev_keys, shown
from signaling.settings import Settings
from signaling.version import VERSION

WRONG_CONFIGURATION = 2
COLLECT_AFTER = (5_000, 5, 5)  # objects; younger collections, each

log = structlog.get_logger("signaling")
cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="YAML or TOML; see also FOLKMOOT_ variables.")]


class CannotStart(Exception):
    """Something outside the program keeps the server from running; the text says what."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"folkmoot {VERSION}")
        raise typer.Exit


@cli.callback()
def _folkmoot(
    _version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell it.")] = False,
) -> None:
    """Meetings in a browser: a conference media server."""


@cli.command()
def serve(
    config: ConfigFile = None,
    dev: Annotated[bool, typer.Option("--dev", help="Make and print a key for each API family.")] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Run the server until it is told to stop."""
    settings = _settings(config, listen_host=host, listen_port=port)
    logs.configure(settings.log)
    dev_keys = new_dev_keys() if dev else {}
    try:
        asyncio.run(_serve(settings, dev_keys))
    except CannotStart as error:
        _give_up(f"cannot start: {error}", 1)


@cli.command()
def doctor(config: ConfigFile = None) -> None:
    """Check this machine and the configuration, and say what to do."""
    settings = _settings(config)
    found = checks.examine(settings)
    typer.echo(checks.report(found, colours=sys.stdout.isatty()))
    raise typer.Exit(1 if checks.failed(found) else 0)


def main() -> None:
    """The console script."""
    cli(prog_name="folkmoot")


def _settings(config: Path | None, **overrides: Any) -> Settings:
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return load(config, os.environ, given)
    except BadSettings as error:
        _give_up(str(error), WRONG_CONFIGURATION)


def _give_up(text: str, code: int) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)


async def _serve(settings: Settings, dev_keys: Mapping[str, str]) -> None:
    from mediaserver import SystemClock
    from signaling.app import create_app

    stop = _stop_signal()
    try:
        runner = web.AppRunner(
            create_app(settings, SystemClock(), dev_keys=dev_keys),
            access_log=None,
            shutdown_timeout=settings.shutdown_grace_seconds,
        )
        await runner.setup()
        await web.TCPSite(runner, settings.listen_host or None, settings.listen_port).start()
    except (OSError, ValueError) as error:
        raise CannotStart(error) from error
    _relieve_collector()
    _announce(settings, dev_keys)
    await stop.wait()
    await _stop(runner, settings.shutdown_grace_seconds)


def _relieve_collector() -> None:
    """What there is by now stays until the end: looking through it again and again took a quarter of a join's CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def _stop_signal() -> asyncio.Event:
    """Set by SIGTERM or SIGINT; an impatient second SIGINT ends the process the hard way."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def stopped(number: signal.Signals) -> None:
        log.info("stopping", signal=number.name)
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped, number)
    return stop


async def _stop(runner: web.AppRunner, grace: float) -> None:
    try:
        async with asyncio.timeout(grace):
            await runner.cleanup()
    except TimeoutError:
        log.warning("stopped before everybody had gone", grace=grace)
    else:
        log.info("stopped")


def _announce(settings: Settings, dev_keys: Mapping[str, str]) -> None:
    log.info("serving", url=settings.base_url, version=VERSION)
    for name, key in shown(dev_keys).items():
        typer.echo(f"{name}: {key}")
    if dev_keys:
        typer.echo(f"page: {settings.base_url}")


if __name__ == "__main__":
    main()
