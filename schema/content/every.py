"""Every kind of content, found by its word in `KINDS` in the file of that name."""

from importlib import import_module

from schema.content.base import Kind
from schema.kinds import KINDS

KIND_OF: dict[str, Kind] = {word: import_module(f"schema.content.{word.lower()}").KIND for word in KINDS}
"""What each kind adds, by its word."""
