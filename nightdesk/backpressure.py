"""Limits that one service acts on and another reports."""

from typing import Final

REDIS_FULL_RATIO: Final = 0.70
"""Used over allowed memory of Redis from which streams get no more frames: what is left is for jobs."""
