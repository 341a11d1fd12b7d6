"""The relations of a run at work: what they say of a scene, checked, and what happens when one fails."""

from __future__ import annotations

from collections.abc import Mapping

from hybridtrack.errors import RelationError, one_line
from hybridtrack.hookspecs import Relation
from hybridtrack.types import Event, Relations, Scene
from hybridtrack.wire import rounded_scene


class RelationRunner:
    """Asks every relation about every frame. One that fails is left out from then on, and ``notes`` say so."""

    def __init__(self, relations: Mapping[str, Relation]) -> None:
        self._relations = dict(relations)
        self._errors: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._relations)

    @property
    def need_camera(self) -> bool:
        """Whether one of them needs to know how the camera moves, whatever is on the frame."""
        return any(getattr(relation, "needs_camera", False) for relation in self._relations.values())

    def reset(self) -> None:
        """Begin a new source, and forget failures."""
        self._errors = {}
        for name, relation in self._relations.items():
            try:
                relation.reset()
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # also SystemExit, and panics of Rust, which are no Exception
                raise RelationError(f"relation {name!r} cannot reset: {one_line(error)}; mend it") from error

    @property
    def failures(self) -> dict[str, int]:
        """How often each relation failed that ever did: once, since it is left out from then on."""
        return dict.fromkeys(self._errors, 1)

    @property
    def notes(self) -> list[str]:
        """What the user should know of failures, one line each."""
        return [f"relation {name!r} failed and was left out from then on: {why}" for name, why in self._errors.items()]

    def step(self, scene: Scene) -> tuple[Relations, tuple[Event, ...]]:
        """Return the pairs that are related in ``scene``, and the events that it decides, relation by relation.

        They see the scene with the digits of a track file: what is computed from a file again comes out the same.
        """
        scene = rounded_scene(scene)
        parts: list[Relations] = []
        events: list[Event] = []
        for name, relation in self._relations.items():
            if name in self._errors:
                continue
            try:
                pairs, happened = relation.step(scene)
                events += _checked(pairs, happened, scene)
                parts.append(pairs)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 (the guard against a foreign relation; panics are no Exception)
                self._errors[name] = f"frame {scene.frame_index}: {one_line(error)}"
        return (Relations.joined(parts) if parts else Relations.empty()), tuple(events)


def _checked(pairs: object, events: object, scene: Scene) -> list[Event]:
    """Return ``events`` when they and ``pairs`` keep the contract. Raises RelationError naming the rule they broke."""
    if not isinstance(pairs, Relations):
        raise RelationError(f"gave {type(pairs).__name__}, expected Relations (empty when nothing is related)")
    if len(pairs) and not {*pairs.subject.tolist(), *pairs.object.tolist()} <= {*scene.tracks.track_id.tolist()}:
        raise RelationError("related a track that is not on the frame")
    kept: list[Event] = []
    for event in events if isinstance(events, list | tuple) else [events]:
        if not isinstance(event, Event):
            raise RelationError(f"gave {type(event).__name__} as an event, expected Event")
        kept.append(event)
    return kept
