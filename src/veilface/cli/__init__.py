"""The terminal's door to Veilface: the same verbs as the SDK, plus running, checking and measuring it."""

from veilface.cli.main import main

__all__ = ["main"]
