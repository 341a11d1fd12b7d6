"""Tracks in the formats that other tools read, and annotations of other tools as tracks.

A format is one module with an ``ExportFormat``, an ``ImportFormat`` or both, which ``formats`` lists.
"""
