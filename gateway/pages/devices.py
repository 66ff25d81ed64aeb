"""What a browser calls itself, in words that its owner recognises.

Promises: short and harmless whatever was sent. Never used to decide anything.
"""

from __future__ import annotations

import re

# In this order: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
BROWSERS = (
    ("Edge", re.compile(r"Edg(?:e|A|iOS)?/")),
    ("Opera", re.compile(r"OPR/")),
    ("Samsung Internet", re.compile(r"SamsungBrowser/")),
    ("Firefox", re.compile(r"Firefox/|FxiOS/")),
    ("Chrome", re.compile(r"(?:Headless)?Chrome/|CriOS/|Chromium/")),
    ("Safari", re.compile(r"Safari/")),
)
SYSTEMS = (
    ("iPhone", re.compile(r"iPhone")),
    ("iPad", re.compile(r"iPad")),
    ("Android", re.compile(r"Android")),
    ("Windows", re.compile(r"Windows")),
    ("macOS", re.compile(r"Mac OS X|Macintosh")),
    ("ChromeOS", re.compile(r"CrOS")),
    ("Linux", re.compile(r"Linux|X11")),
)
LONGEST = 60


def device_name(agent: str) -> str:
    """`Firefox, Windows` for such a `User-Agent`; the first word of another's; an empty text where there is none."""
    agent = agent[:500]
    browser = next((name for name, mark in BROWSERS if mark.search(agent)), None)
    system = next((name for name, mark in SYSTEMS if mark.search(agent)), None)
    if browser or system:
        return ", ".join(each for each in (browser, system) if each)
    first = agent.split(" ", 1)[0].partition("/")[0]
    return re.sub(r"[^\w.+-]", "", first)[:LONGEST]
