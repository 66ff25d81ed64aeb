"""The demo: a square filled with sites, people and what they said, made from real Dutch texts.

Promises: the same seed, scale and texts give the same rows, ids included; a site comes whole or not at all; a second
run does nothing but complete what is missing. Never touches a site or an account that is not the demo's own.
"""

from gateway.demo.load import Summary, run
from gateway.demo.progress import Progress, shown_progress
from gateway.demo.scale import SCALES

__all__ = ["SCALES", "Progress", "Summary", "run", "shown_progress"]
