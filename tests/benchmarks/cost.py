"""Print what tracked and detected frames cost, in units of one bare ``invoke`` of the int8 network on one thread.

    python -m tests.benchmarks.cost CLIP [--original handtrackjs-0.1.5.tgz] [--rounds 5] [--frames 400]

The clip is looped. Every figure is a slope, taken from a frame after the start-up to one before the end; all that is
compared takes turns in every round, ratios are taken within a round, and medians over the rounds are printed with the
least and the greatest. Frames per second are those of the clip, and of the same clip at 320x240, which the script makes
(the system that this project follows was measured there). With the package of the published graph (``npm pack
handtrackjs@0.1.5``; needs the extra ``train``) the origin's way takes its turn too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from ai_edge_litert.interpreter import Interpreter

from hybridtrack.bench import machine, turns
from hybridtrack.detectors.bundle import default_bundle
from hybridtrack.engine import Engine
from hybridtrack.plugin_host import PluginHost
from hybridtrack.run import write_run
from hybridtrack.selection import select_tracker
from hybridtrack.sinks.jsonl import JsonLinesSink
from hybridtrack.sources import open_source
from hybridtrack.sources.source import RecordedSource, Source
from hybridtrack.types import Frame, FrameResult
from tests.benchmarks.clips import bare_pictures, write_smaller

LEAD_IN = 60  #: frames before the first mark: everything is loaded and all queues are full
LEAD_OUT = 30  #: frames after the last mark: reading ahead has not ended yet
LOOPS = 10_000
TRACKED_N = 10  #: a run with this N tells the cost of tracked frames: tracks are alive, and few frames detect
PROFILE_N = 3
CADENCES = (1, 3, 10)
SMALL_PX = (320, 240)
MAX_TRACKED, MAX_DETECTED = 0.2, 1.3  #: x invoke
MIN_OF_BARE = 0.55  #: N = 10 over bare decoding
MIN_GAIN: Mapping[int, float] = MappingProxyType({3: 2.0, 10: 4.0})  #: by N, over N = 1 at 320x240
MIN_OVER_ORIGIN = 10.0  #: N = 3
BARE, ORIGIN = "bare PyAV decoding", "the origin's way"
FULL, SMALL = "the clip as it is", f"at {SMALL_PX[0]}x{SMALL_PX[1]}"
STAGES = ("decode", "rgb", "network", "gray", "flow", "joining", "json", "other")


@dataclass(frozen=True, slots=True)
class Slope:
    """Milliseconds a frame between two marks: of the wall clock, and of all threads' CPU time."""

    wall_ms: float
    cpu_ms: float


class Marks:
    """Notes the clocks when frame ``LEAD_IN`` and the frame ``frames`` later are done."""

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self._done = 0
        self._taken: list[tuple[float, float]] = []

    def tick(self, *_: object) -> bool:
        """Count one frame more; True when the last mark has been reached."""
        self._done += 1
        if self._done in (LEAD_IN, LEAD_IN + self.frames):
            self._taken.append((time.perf_counter(), time.process_time()))
        return len(self._taken) == 2

    def slope(self) -> Slope:
        (wall, cpu), (later_wall, later_cpu) = self._taken
        return Slope((later_wall - wall) * 1000 / self.frames, (later_cpu - cpu) * 1000 / self.frames)


def slope_of(steps: Iterable[object], frames: int) -> Slope:
    """Return what a step costs."""
    marks = Marks(frames)
    for step in steps:
        if marks.tick(step):
            break
    return marks.slope()


def decode(clip: str, frames: int) -> Slope:
    """Return what reading a frame costs of which nobody asks for pixels."""
    with open_source(clip, loop=LOOPS) as source:
        return slope_of(source, frames)


def track(clip: str, frames: int, *, detect_every: int, overlap: bool, tracker: str = "flow") -> Slope:
    """Return what a frame of a whole run into a JSON Lines file costs."""
    marks = Marks(frames)
    with (
        TemporaryDirectory() as folder,
        Engine(tracker=tracker, detect_every=detect_every, overlap=overlap) as engine,
        open_source(clip, loop=LOOPS) as source,
    ):
        sink = JsonLinesSink(Path(folder) / "tracks.jsonl")
        write_run(engine, source, [sink], max_frames=LEAD_IN + frames + LEAD_OUT, on_frame=marks.tick)
    return marks.slope()


def invocations(clip: str) -> Iterator[None]:
    """Yield whenever the bare int8 network has run, on one thread, on a frame of the clip."""
    bundle = default_bundle()
    interpreter = Interpreter(model_content=bundle.read(bundle.model("int8")), num_threads=1)
    interpreter.allocate_tensors()
    with open_source(clip) as source:
        pixels = next(source).rgb(bundle.input_size_px)
    (details,) = interpreter.get_input_details()
    interpreter.set_tensor(details["index"], (pixels.astype(int) - 128).astype(details["dtype"])[None])
    while True:
        interpreter.invoke()
        yield


def origin(clip: str, package: Path) -> Callable[[int], Slope]:
    """Return a function from a number of frames to what a frame costs the origin's way."""
    from tests.benchmarks.origin import frames_rgb, open_session

    run = open_session(package)
    return lambda frames: slope_of(map(run, frames_rgb(clip)), frames)


class Stages:
    """How long each stage of a frame took, ms; what one stage spends inside another counts for the inner one alone."""

    def __init__(self) -> None:
        self._ms: defaultdict[str, float] = defaultdict(float)
        self._inner_s: list[float] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        self._inner_s.append(0.0)
        try:
            yield
        finally:
            taken = time.perf_counter() - start
            self._ms[name] += (taken - self._inner_s.pop()) * 1000
            if self._inner_s:
                self._inner_s[-1] += taken

    def take(self) -> dict[str, float]:
        """Return the stages since the last time, and begin anew."""
        taken = dict(self._ms)
        self._ms.clear()
        return taken


class Timed:
    """Stands in for another object and books its methods' time on a stage, by default one of the method's name."""

    def __init__(self, inner: object, stages: Stages, stage: str | None = None) -> None:
        self._inner = inner
        self._stages = stages
        self._stage = stage

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value):
            return value

        def call(*arguments: object) -> object:
            with self._stages.stage(self._stage or name):
                return value(*arguments)

        return call


def with_timed_pictures(source: Source, stages: Stages) -> RecordedSource:
    """Return the same frames; making grey and RGB of them is booked on the stages ``gray`` and ``rgb``."""

    def frames() -> Generator[Frame, None, None]:
        for frame in source:
            yield Frame(Timed(frame, stages), index=frame.index, time_s=frame.time_s)

    timed = frames()
    return RecordedSource(source.uri, source.info, next(timed), timed)


def profile(clip: str, frames: int) -> list[tuple[FrameResult, dict[str, float]]]:
    """Return the frames of a run in one thread, each with what its stages took, ms."""
    stages = Stages()
    profiles: list[tuple[FrameResult, dict[str, float]]] = []
    last_s = time.perf_counter()

    def add(result: FrameResult) -> None:
        nonlocal last_s
        now_s, taken = time.perf_counter(), defaultdict(float, stages.take())
        engine_ms = result.stage_ms
        taken["decode"] = engine_ms["decode"]
        taken["network"] = engine_ms["detect"]
        taken["joining"] = engine_ms["associate"]
        taken["other"] = (now_s - last_s) * 1000 - sum(taken.values())
        profiles.append((result, dict(taken)))
        last_s = time.perf_counter()

    flow = select_tracker("flow", PluginHost.load())
    with (
        TemporaryDirectory() as folder,
        Engine(tracker=Timed(flow, stages, "flow"), detect_every=PROFILE_N, overlap=False) as engine,
        open_source(clip, loop=LOOPS) as source,
    ):
        sink = JsonLinesSink(Path(folder) / "tracks.jsonl")
        timed_source = with_timed_pictures(source, stages)
        write_run(engine, timed_source, [Timed(sink, stages, "json")], max_frames=LEAD_IN + frames, on_frame=add)
    return profiles[LEAD_IN:]


def print_profile(profiles: Sequence[tuple[FrameResult, Mapping[str, float]]], invoke_ms: float) -> None:
    tracked = [taken for result, taken in profiles if not result.runs]
    detected = [taken for result, taken in profiles if result.runs]
    boxes = statistics.mean(len(result.tracks) for result, _ in profiles)
    print(f"\nstages, one thread, N = {PROFILE_N}, {boxes:.1f} tracks a frame, median of the wall clock")
    print(f"{'':22}{'tracked frame ms':>18}{'x invoke':>10}{'detect frame ms':>18}{'x invoke':>10}")
    for name in STAGES:
        cells = [statistics.median(taken.get(name, 0.0) for taken in kind) for kind in (tracked, detected)]
        print(f"{name:22}" + "".join(f"{ms:18.3f}{ms / invoke_ms:10.2f}" for ms in cells))


def print_figure(name: str, values: Sequence[float], *, digits: int = 2, target: str = "") -> None:
    """Print the median of a figure over the rounds, with the least and the greatest, and what it is to be."""
    text = f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
    print(f"{name:44}{text:24}{target}")


def print_figures(rounds: Sequence[Mapping[str, Slope]]) -> None:
    def over(figure: Callable[[Mapping[str, Slope]], float]) -> list[float]:
        return [figure(one) for one in rounds]

    for clock in ("cpu_ms", "wall_ms"):

        def taken(one: Mapping[str, Slope], name: str, clock: str = clock) -> float:
            value: float = getattr(one[name], clock)
            return value

        def beyond(one: Mapping[str, Slope], name: str, taken: Callable[..., float] = taken) -> float:
            return taken(one, name) - taken(one, "decode")

        def tracked(one: Mapping[str, Slope], beyond: Callable[..., float] = beyond) -> float:
            return (TRACKED_N * beyond(one, f"N={TRACKED_N}") - beyond(one, "N=1")) / (TRACKED_N - 1)

        print(f"\n{'CPU time' if clock == 'cpu_ms' else 'wall clock'}, one thread of our own")
        print_figure("int8 invoke, ms", over(lambda one: taken(one, "invoke")))
        print_figure("decoding, ms", over(lambda one: taken(one, "decode")))
        print_figure("tracked frame beyond decoding, ms", over(tracked))
        print_figure("detect frame beyond decoding, ms", over(lambda one: beyond(one, "N=1")))
        print_figure(
            "tracked frame, x invoke",
            over(lambda one: tracked(one) / taken(one, "invoke")),
            target=f"at most {MAX_TRACKED}",
        )
        print_figure(
            "detect frame, x invoke",
            over(lambda one: beyond(one, "N=1") / taken(one, "invoke")),
            target=f"at most {MAX_DETECTED}",
        )


def print_speeds(rounds: Sequence[Mapping[str, Slope]], label: str) -> None:
    """Print the frames per second of the jobs whose names end in ``label``, and what they are to each other."""

    def over(figure: Callable[[Mapping[str, float]], float]) -> list[float]:
        return [figure({name: 1000 / slope.wall_ms for name, slope in one.items()}) for one in rounds]

    def ratio(a: str, b: str, target: str = "") -> None:
        print_figure(f"{a} over {b}", over(lambda fps: fps[f"{a} {label}"] / fps[f"{b} {label}"]), target=target)

    print(f"\nframes per second, threads on, {label}")
    names = [name.removesuffix(f" {label}") for name in rounds[0] if name.endswith(label)]
    for name in names:
        print_figure(name, over(lambda fps, name=name: fps[f"{name} {label}"]), digits=0)
    is_small = label == SMALL
    ratio("N=10", BARE, "" if is_small else f"at least {MIN_OF_BARE}")
    for n, least in MIN_GAIN.items():
        ratio(f"N={n}", "N=1", f"at least {least:g}" if is_small else "")
    if ORIGIN in names:
        ratio("N=1", ORIGIN)
        ratio("N=3", ORIGIN, f"at least {MIN_OVER_ORIGIN:g}")


def speed_jobs(clip: str, frames: int, label: str, package: Path | None) -> dict[str, Callable[[], Slope]]:
    """Return what tells the frames per second of a clip, by name; the origin's way where there is its package."""
    jobs: dict[str, Callable[[], Slope]] = {
        f"{BARE} {label}": lambda: slope_of(bare_pictures(clip), frames),
        **{f"N={n} {label}": partial(track, clip, frames, detect_every=n, overlap=True) for n in CADENCES},
    }
    if package:
        run_origin = origin(clip, package)
        jobs[f"{ORIGIN} {label}"] = lambda: run_origin(frames // 4)
    return jobs


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cost", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("clip")
    parser.add_argument("--original", type=Path, metavar="TGZ", help="npm package with the published graph")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=400, help="between the marks; the origin's way gets a quarter")
    options = parser.parse_args(arguments)
    clip, frames = options.clip, options.frames
    load = os.getloadavg()[0]
    rounds: list[dict[str, Slope]] = []
    profiles: list[tuple[FrameResult, dict[str, float]]] = []
    with TemporaryDirectory() as folder:
        small = Path(folder) / "small.mp4"
        write_smaller(clip, small, SMALL_PX)
        jobs: dict[str, Callable[[], Slope]] = {
            "invoke": lambda: slope_of(invocations(clip), frames),
            "decode": partial(decode, clip, frames),
            **{f"N={n}": partial(track, clip, frames, detect_every=n, overlap=False) for n in (1, TRACKED_N)},
            **speed_jobs(clip, frames, FULL, options.original),
            **speed_jobs(str(small), frames, SMALL, options.original),
        }
        names = list(jobs)
        for number in range(options.rounds):
            rounds.append({names[turn]: jobs[names[turn]]() for turn in turns(len(names), number, options.rounds)})
            profiles += profile(clip, frames)
    with open_source(clip) as source:
        print(f"{Path(clip).name}, {source.info.width_px}x{source.info.height_px}, looped")
    print(
        f"{machine()['cpu']}, {machine()['cores']} cores, load {load:.1f} before the first round (threads need it at 0)"
    )
    print(f"{options.rounds} rounds of {frames} frames: median (least to greatest)")
    print_figures(rounds)
    print_speeds(rounds, FULL)
    print_speeds(rounds, SMALL)
    print_profile(profiles, statistics.median(one["invoke"].wall_ms for one in rounds))


if __name__ == "__main__":
    main()
