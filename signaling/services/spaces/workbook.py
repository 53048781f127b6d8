"""The report on calls as an Excel file. What people call themselves is never more than text there."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from signaling.services.events import iso
from signaling.services.spaces.report import Line

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
COLUMNS = (
    ("Name", 24),
    ("User id", 26),
    ("External user id", 20),
    ("E-mail", 28),
    ("Phone", 16),
    ("Role", 11),
    ("Joined and left", 54),
    ("Seconds present", 16),
    ("Chat messages", 14),
    ("Seconds speaking", 16),
)
"""Headings and widths, in characters."""
MAX_TEXT = 32_000  # characters in a cell; Excel takes a few more
_BOLD = Font(bold=True)


def workbook(lines: Iterable[Line]) -> bytes:
    """Takes its time: call it in a thread."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Participants")
    for n, (_, width) in enumerate(COLUMNS):
        sheet.column_dimensions["ABCDEFGHIJ"[n]].width = width
    sheet.freeze_panes = "A2"
    headings = [WriteOnlyCell(sheet, heading) for heading, _ in COLUMNS]
    for heading in headings:
        heading.font = _BOLD
    sheet.append(headings)
    for line in lines:
        sheet.append([each if isinstance(each, int) else _text(sheet, each) for each in _values(line)])
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _values(line: Line) -> Sequence[str | int]:
    return (
        line.name,
        line.user_id or "",
        line.external_user_id or "",
        line.email or "",
        line.phone or "",
        line.role,
        "\n".join(f"{_time(joined)} – {_time(left)}" for joined, left in line.joins),
        line.present_seconds,
        line.messages,
        line.speaking_seconds,
    )


def _time(ms: int | None) -> str:
    return "" if ms is None else iso(ms / 1000)


def _text(sheet: Any, value: str) -> Any:
    """Text that stays text, also once somebody edits it: one that begins like a formula is marked as quoted."""
    clean = ILLEGAL_CHARACTERS_RE.sub("", value).encode("utf-8", "replace").decode()[:MAX_TEXT]
    cell = WriteOnlyCell(sheet, clean)
    cell.data_type = "s"
    cell.quotePrefix = clean.startswith(("=", "+", "-", "@", "\t", "\r"))
    return cell
