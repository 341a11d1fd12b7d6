"""The text of ``bundle.toml``."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from hybridtrack.detectors.bundle import Manifest

TABLES = ("input", "outputs", "anchors", "box_coder", "thresholds", "models", "sha256")


def manifest_text(manifest: Manifest) -> str:
    """Return bundle.toml: ``load_bundle`` reads the same manifest of it. What has no value is left out."""
    content = msgspec.to_builtins(manifest)
    labels = content.pop("labels")
    tables = [(name, content.pop(name)) for name in TABLES]
    parts = [_lines(content)]
    parts += [f"[[labels]]\n{_lines(label)}" for label in labels]
    parts += [f"[{name}]\n{_lines(table)}" for name, table in tables if table or name == "sha256"]
    return "\n".join(parts)


def _lines(table: dict[str, Any]) -> str:
    """Return keys and values, which JSON writes as TOML does."""
    kept = ((key, value) for key, value in table.items() if value not in (None, [], ()))
    return "".join(f"{_key(key)} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in kept)


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)
