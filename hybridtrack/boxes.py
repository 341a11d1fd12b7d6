"""Geometry of axis-parallel boxes: pure functions on arrays, xyxy (N, 4) unless the name says otherwise."""

from __future__ import annotations

import numpy as np

from hybridtrack.types import Array, Size


def area(xyxy: Array) -> Array:
    """Return the areas (N,) of boxes (N, 4), px²."""
    areas: Array = (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])
    return areas


def intersection(a: Array, b: Array) -> Array:
    """Return the areas (N, M) that boxes ``a`` (N, 4) and ``b`` (M, 4) share, px²."""
    width = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    shared: Array = np.maximum(width, 0) * np.maximum(height, 0)
    return shared


def iou(a: Array, b: Array) -> Array:
    """Return the IoU (N, M) of boxes ``a`` (N, 4) and ``b`` (M, 4), 0..1; 0 where both have no area."""
    shared = intersection(a, b)
    union = area(a)[:, None] + area(b)[None, :] - shared
    ratio: Array = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio


def paired_iou(a: Array, b: Array) -> Array:
    """Return the IoU (N,) of each box of ``a`` (N, 4) with its own of ``b`` (N, 4), 0..1; 0 where both have no area."""
    shared = paired_intersection(a, b)
    union = area(a) + area(b) - shared
    ratio: Array = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio


def paired_intersection(a: Array, b: Array) -> Array:
    """Return the area (N,) that each box of ``a`` (N, 4) shares with its own of ``b`` (N, 4), px²."""
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared: Array = np.maximum(sides, 0).prod(axis=1)
    return shared


def gap(a: Array, b: Array) -> Array:
    """Return the distance (N, M), px, between the nearest points of boxes (N, 4) and (M, 4); 0 where they overlap."""
    apart = np.maximum(a[:, None, :2] - b[None, :, 2:], b[None, :, :2] - a[:, None, 2:])
    apart = np.maximum(apart, 0.0)
    away: Array = np.hypot(apart[..., 0], apart[..., 1])
    return away


def clip(xyxy: Array, size_px: Size) -> Array:
    """Return the boxes cut at the edges of a picture of (width, height); those outside it get no area."""
    width, height = size_px
    return np.clip(xyxy, 0, np.array([width, height, width, height], xyxy.dtype))


def rescale(xyxy: Array, size_px: Size, new_size_px: Size) -> Array:
    """Return the boxes (N, 4) of a picture of one (width, height) as they lie on the same picture of another."""
    if size_px == new_size_px:
        return xyxy
    rescaled: Array = xyxy * np.tile(np.array(new_size_px, xyxy.dtype) / np.array(size_px, xyxy.dtype), 2)
    return rescaled


def xyxy_to_cxcywh(xyxy: Array) -> Array:
    """Return centre x, centre y, width, height (N, 4) of boxes (N, 4). Inverse: ``cxcywh_to_xyxy``."""
    return np.concatenate([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]], axis=1)


def cxcywh_to_xyxy(cxcywh: Array) -> Array:
    """Return xyxy (N, 4) of boxes given as centre x, centre y, width, height. Inverse: ``xyxy_to_cxcywh``."""
    half = cxcywh[:, 2:] / 2
    return np.concatenate([cxcywh[:, :2] - half, cxcywh[:, :2] + half], axis=1)


def yxyx_norm_to_xyxy(yxyx_norm: Array, size_px: Size) -> Array:
    """Return xyxy (N, 4), px, of boxes given as y1, x1, y2, x2 in 0..1. Inverse: ``xyxy_to_yxyx_norm``."""
    width, height = size_px
    xyxy: Array = yxyx_norm[:, [1, 0, 3, 2]] * np.array([width, height, width, height], yxyx_norm.dtype)
    return xyxy


def xyxy_to_yxyx_norm(xyxy: Array, size_px: Size) -> Array:
    """Return y1, x1, y2, x2 in 0..1 (N, 4) of boxes xyxy in px. Inverse: ``yxyx_norm_to_xyxy``."""
    width, height = size_px
    yxyx_norm: Array = (xyxy / np.array([width, height, width, height], xyxy.dtype))[:, [1, 0, 3, 2]]
    return yxyx_norm


def nms(xyxy: Array, score: Array, iou_threshold: float) -> Array:
    """Return the rows (K,) that greedy non-maximum suppression keeps, best score first; ties: the lower row first.

    A box is dropped when its IoU with a better one that was kept is above ``iou_threshold``.
    """
    order = np.argsort(-score, kind="stable")
    overlaps = iou(xyxy[order], xyxy[order]) > iou_threshold
    is_left, kept = np.ones(len(order), bool), []
    while is_left.any():  # once for each box that is kept, and those are few
        rank = int(is_left.argmax())
        kept.append(rank)
        is_left &= ~overlaps[rank]
        is_left[rank] = False
    best: Array = order[kept]
    return best
