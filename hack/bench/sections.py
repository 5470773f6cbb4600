"""Sections of RESULTS.md: each measurement writes its own and leaves the others."""

from __future__ import annotations

import re


def replaced(text: str, title: str, lines: list[str]) -> str:
    """`text` with the section `## title` made of `lines`; at the end when there was none."""
    body = "\n".join([f"## {title}", "", *lines, ""])
    found = _find(text, title)
    if found is None:
        return f"{text.rstrip()}\n\n{body}"
    rest = text[found.end() :]
    return text[: found.start()] + body + (f"\n{rest}" if rest else "")


def section(text: str, title: str) -> list[str]:
    """The lines of a section without its heading; none when there is no such section."""
    found = _find(text, title)
    return [] if found is None else found[1].strip().splitlines()


def _find(text: str, title: str) -> re.Match[str] | None:
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
