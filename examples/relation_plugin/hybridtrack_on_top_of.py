"""A relation for hybridtrack: an object that stands on another, as far as boxes can tell."""

from hybridtrack.hookspecs import Option, RelationSpec, hookimpl


class OnTopOf:
    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self.reset()

    def reset(self) -> None:
        """Forget the past: a new source begins."""
        self._seen_s = {}  # (upper, lower) -> since when, and when last, one looked as if it stood on the other
        self._standing = set()

    def step(self, scene):
        from hybridtrack.types import Event, Relations

        now_s, events = scene.time_s, []
        present, pairs = stacked(scene)
        for pair in pairs:
            self._seen_s[pair] = self._seen_s.get(pair, (now_s, now_s))[0], now_s
        for pair, (since_s, last_s) in list(self._seen_s.items()):
            upper, lower = pair
            if now_s - last_s > self._after_s:
                del self._seen_s[pair]
                if pair in self._standing:
                    self._standing.remove(pair)
                    events.append(Event(kind="taken_off", time_s=last_s, subject=upper, object=lower))
            elif last_s - since_s >= self._after_s and pair not in self._standing:
                self._standing.add(pair)
                events.append(Event(kind="placed_on", time_s=since_s, subject=upper, object=lower))
        rows = sorted(pair for pair in self._standing if present.issuperset(pair))
        upper, lower = [one for one, _ in rows], [other for _, other in rows]
        return Relations(subject=upper, object=lower, state=("on_top_of",) * len(rows)), events


def stacked(scene):
    """Return the ids of the objects on a frame, and the pairs of them (upper, lower) that look like a stack."""
    import numpy as np

    role = np.array([info.role for info in scene.classes], object)[scene.tracks.class_id]
    things = scene.tracks[role == "object"]
    left, top, right, bottom = things.xyxy.T
    width, foot = (right - left)[:, None], bottom[:, None]  # row: upper, column: lower
    is_over = (left < left[:, None] + width / 4) & (right > right[:, None] - width / 4) & (top < foot) & (foot < bottom)
    slip = np.linalg.norm(things.velocity[:, None] - things.velocity, axis=2)  # px a second; 0: at rest, or together
    upper, lower = np.nonzero(is_over & (slip < width / 2))
    ids = things.track_id.tolist()
    return set(ids), [(ids[i], ids[j]) for i, j in zip(upper, lower, strict=True)]


@hookimpl
def hybridtrack_relations():
    after = Option(name="after", type=float, default=0.3, help="seconds for which it must look so, at either end")
    summary = "objects that stand on objects; placed_on, taken_off"
    return [RelationSpec(name="on_top_of", summary=summary, create=lambda o: OnTopOf(o["after"]), options=(after,))]
