"""The version of the running program."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("folkmoot")
    except PackageNotFoundError:  # run from a checkout that has not been installed
        return "0+checkout"


VERSION = _installed()
