"""The texts the demo is made of: municipalities and regulations, from a folder or from the sample that comes along.

A folder holds `municipalities.csv` (code, name, region) and `regulations.ndjson`, which may be compressed
(`regulations.ndjson.gz`): one JSON object a line with id, title and body. Texts of Dutch laws carry no copyright.
Promises: read whole, once, in the order of the files. Never writes.
"""

from __future__ import annotations

import csv
import gzip
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import orjson

from gateway.terminal import CommandError

SAMPLE = Path(__file__).parent / "sample"
BESIDE_THE_PROJECT = Path(__file__).resolve().parents[3] / "shared" / "data"
TITLE_MAX = 200
TOPIC_MAX = 90

RELATIVE_LINK = re.compile(r"\]\((?:\.\./)+[^)\s]*?(BWB[A-Z]\d+)[^)\s]*\)")
MARKS = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[*#|_]+")
SENTENCE = re.compile(r"(?:^|(?<=[.!?] ))[A-ZÀ-Þ][^.!?\n|#\[\]()*]{40,220}[.!?](?=\s|$)", re.MULTILINE)
FORMULA = re.compile(r"gratie Gods|saluut|[:;]|\b(?:no|nr|art|jo|dr)\.$")
NAME_IN_BRACKETS = re.compile(r"\(([^()]{8,})\)\s*$")
TOPIC_START = re.compile(
    r"\b(?:houdende|inzake|betreffende|ter zake van|omtrent|met betrekking tot|tot|over)\b\s+(.{12,})"
)


@dataclass(frozen=True, slots=True)
class Municipality:
    """A municipality: its code, and the code of the safety region that it is in."""

    code: str
    name: str
    region: str


@dataclass(frozen=True, slots=True)
class Text:
    """A regulation: whole, and as the paragraphs and plain sentences that can be taken from it."""

    id: str
    title: str
    topic: str
    body: str
    paragraphs: tuple[str, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """All of it; `name` tells people where it is from."""

    name: str
    municipalities: tuple[Municipality, ...]
    texts: tuple[Text, ...]


def has_own_texts(folder: Path | None) -> bool:
    """Whether there are more texts than the sample: a folder was given, or stands beside the project."""
    return folder is not None or (BESIDE_THE_PROJECT / "municipalities.csv").is_file()


def load_source(folder: Path | None = None, *, sample: bool = False) -> Source:
    """Read this folder; without one, the folder beside the project, or the sample where there is none.

    `sample` reads the sample where no folder is given. Raises `CommandError` for a folder that is not as it should be.
    """
    if folder is None:
        folder = BESIDE_THE_PROJECT if not sample and has_own_texts(None) else SAMPLE
    try:
        municipalities, texts = read_municipalities(folder), read_texts(folder)
    except OSError as error:
        raise CommandError(f"No texts in {folder}: {error.filename} cannot be read ({error.strerror}).") from None
    except (KeyError, ValueError, TypeError) as error:
        raise CommandError(f"The texts in {folder} are not as expected: {error!r}.") from None
    if not municipalities or not texts:
        raise CommandError(f"The files in {folder} are empty.")
    return Source("the sample" if folder == SAMPLE else str(folder), municipalities, texts)


def read_municipalities(folder: Path) -> tuple[Municipality, ...]:
    """Read `municipalities.csv`."""
    with (folder / "municipalities.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Municipality(row["code"], row["name"], row["region"]) for row in csv.DictReader(file))


def read_texts(folder: Path) -> tuple[Text, ...]:
    """Read the regulations."""
    packed = folder / "regulations.ndjson.gz"
    file: IO[bytes]
    with (
        cast("IO[bytes]", gzip.open(packed)) if packed.exists() else (folder / "regulations.ndjson").open("rb") as file
    ):
        rows = [orjson.loads(line) for line in file if line.strip()]
    return tuple(make_text(row["id"], row["title"], row["body"]) for row in rows)


def make_text(text_id: str, title: str, body: str) -> Text:
    """A regulation from its fields; links between regulations lead to where they are published."""
    body = RELATIVE_LINK.sub(r"](https://wetten.overheid.nl/\1)", body.strip())
    paragraphs = [each.strip() for each in re.split(r"\n{2,}", body)]
    prose = [each for each in paragraphs if len(each) >= 40 and each[0] not in "#|![" and "\n|" not in each]
    plain = MARKS.sub(r"\1", "\n".join(prose))
    sentences = [each for each in SENTENCE.findall(plain) if not FORMULA.search(each)]
    return Text(text_id, shortened(title, TITLE_MAX), find_topic(title), body, tuple(prose), tuple(sentences))


def find_topic(title: str) -> str:
    """What a regulation is about, from its title."""
    title = " ".join(title.split()).rstrip(".")
    if match := NAME_IN_BRACKETS.search(title):
        return shortened(match[1], TOPIC_MAX)
    match = TOPIC_START.search(title)
    return shortened(match[1] if match else title, TOPIC_MAX)


def shortened(text: str, length: int) -> str:
    """The text on one line, cut between words where it is longer."""
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0].rstrip(" ,;:-–(") + "…"
