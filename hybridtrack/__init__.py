"""Detect hands and other objects on a table in video, and keep their identities between detector runs."""

__version__ = "0.1.0"
