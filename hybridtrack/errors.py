"""Everything that hybridtrack raises on purpose.

    HybridTrackError
    ├── UsageError (ValueError)          an option, a name or a value that cannot be used
    ├── ConfigError (ValueError)         a configuration file with an unknown key or a wrong value
    ├── SourceError (OSError)            a video, camera or folder that cannot be read
    ├── SinkError (OSError)              an output that cannot be written
    ├── BundleError (ValueError)         a model bundle that is incomplete or altered
    ├── MissingPackageError (ImportError) an optional package that is needed and absent
    ├── PluginError (RuntimeError)        a plugin that cannot be loaded, or whose factory fails
    ├── DetectorError (RuntimeError)     a detector that cannot be built or gave an invalid result
    ├── RelationError (RuntimeError)     a relation that gave an invalid result
    └── TrackFileError (ValueError)      a track file that is not in the format it claims

``StopRun`` is no error: a sink raises it to end the run in order.

A message is one line: what was asked, what was found, what to do. The command line prints it as it is and
exits with 2; any other exception is a bug and shows its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable


class HybridTrackError(Exception):
    """Root of all errors that the user can mend."""


class UsageError(HybridTrackError, ValueError):
    """An option, a name or a value that cannot be used."""


class ConfigError(HybridTrackError, ValueError):
    """A configuration file with an unknown key or a wrong value."""


class SourceError(HybridTrackError, OSError):
    """A video, camera or folder of images that cannot be read."""


class SinkError(HybridTrackError, OSError):
    """An output that cannot be written."""


class BundleError(HybridTrackError, ValueError):
    """A model bundle that is incomplete, altered or of an unknown kind."""


class MissingPackageError(HybridTrackError, ImportError):
    """An optional package that is needed for what was asked, and is not installed."""


class PluginError(HybridTrackError, RuntimeError):
    """A plugin that cannot be loaded, or whose factory fails."""


class DetectorError(HybridTrackError, RuntimeError):
    """A detector that cannot be built, or whose result breaks the contract."""


class RelationError(HybridTrackError, RuntimeError):
    """A relation that cannot be reset, or whose result breaks the contract."""


class TrackFileError(HybridTrackError, ValueError):
    """A track file that is not in the format it claims to be in."""


class StopRun(Exception):  # noqa: N818 (not an error)
    """A sink asks to end the run in order: its window was closed, or nobody reads its output any more."""


def one_line(error: BaseException) -> str:
    """Return the kind of a foreign error and what it says, on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the line for a name that nobody knows: what was asked, what there is, and the nearest of it."""
    import difflib

    names = sorted(known)
    nearest = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return f"unknown {kind} {name!r}; known: {', '.join(names) or 'none'}{hint}"
