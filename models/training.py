"""A training from beginning to end: steps, validation, checkpoints, early stop; what it leaves is a ``RunFolder``."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from hybridtrack.errors import SinkError, SourceError, UsageError, one_line
from hybridtrack.types import Array
from models import network as networks
from models.average_precision import Figures, figures
from models.curves import TensorBoard
from models.learner import Checkpoints, Learner, open_strategy, set_precision
from models.network import TrainedNetwork
from models.pipeline import Pipeline, mirrored_classes
from models.progress import Progress
from models.records import Summary, find_records, summarise
from models.run_folder import RunFolder
from models.settings import Settings
from models.truth import TruePicture
from models.validation import judge, read_validation


class NotFiniteError(UsageError):
    """The loss left the numbers that there are."""


@dataclass(slots=True, kw_only=True)
class Best:
    """The best validation so far, and how many came after it."""

    ap50: float = -1.0
    ap: float = -1.0
    step: int = 0
    since: int = 0

    def take(self, step: int, ap50: float, ap: float) -> bool:
        """Return whether a validation is the best one."""
        if (ap50, ap) > (self.ap50, self.ap):
            self.ap50, self.ap, self.step, self.since = ap50, ap, step, 0
            return True
        self.since += 1
        return False


def train(settings: Settings, folder: RunFolder, *, resume: bool = False, stop_at: int | None = None) -> Best:
    """Train, or go on with a training; return its best validation.

    ``stop_at``: a step to stop at, with a checkpoint, before the training is done. Raises SourceError for data that are
    missing or do not fit, UsageError when the loss is not finite or there is nothing to resume, SinkError when a file
    cannot be written.
    """
    labels = [label.name for label in settings.labels]
    data = {"training": summarise(find_records(settings.data.train), labels)}
    validation: Sequence[TruePicture] = ()
    if settings.data.validation:
        files = find_records(settings.data.validation)
        data["validation"] = summarise(files, labels)
        validation = read_validation(files, labels, settings.network.size_px)
    if resume:
        folder.check_data(data)
    else:
        folder.begin(settings, data)
    keras.utils.set_random_seed(
        settings.training.seed + 1
    )  # 0 would be compared with seeds of epochs, which are tensors
    tf.config.experimental.enable_op_determinism()
    set_precision(settings)
    strategy = open_strategy(settings)
    with strategy.scope():
        trained = networks.build(settings, data["training"].size_norm)
        pipeline = make_pipeline(settings, data["training"], trained)
        if settings.network.start != "random" and settings.network.batch_norm == "trained" and not resume:
            networks.restore_statistics(trained.network, first_pictures(pipeline))
        learner = Learner(trained.network, settings, strategy)
    checkpoints = learner.checkpoints(folder.checkpoints)
    if resume and not checkpoints.restore():
        raise UsageError(f"cannot resume {str(folder.path)!r}: no checkpoint was written yet; begin anew")
    best = Best()
    for row in folder.cut_metrics(learner.step):
        if "AP50" in row:
            best.take(row["step"], row["AP50"], row["AP"])
    run = Run(settings, folder, learner, checkpoints, trained, validation, best)
    end = min(settings.training.steps, stop_at or settings.training.steps)
    run.go(strategy.experimental_distribute_dataset(pipeline.batches(learner.step)), end)
    return best


def make_pipeline(settings: Settings, data: Summary, trained: TrainedNetwork) -> Pipeline:
    """Return the pipeline of the training data for a network."""
    manifest = trained.manifest
    assert manifest.anchors is not None
    return Pipeline(
        files=tuple(find_records(settings.data.train)),
        pictures=data.pictures,
        size_px=settings.network.size_px,
        anchors=manifest.anchors.boxes(),
        scales=networks.BOX_SCALES,
        augmentation=settings.augmentation,
        mirrored=mirrored_classes([label.name for label in settings.labels], settings.data.flip_pairs),
        batch_size=settings.training.batch_size,
        seed=settings.training.seed,
        in_memory=settings.data.cache == "memory",
    )


def first_pictures(pipeline: Pipeline) -> Array:
    """Return float32 (N, H, W, 3) training pictures that statistics are taken from."""
    batches = pipeline.batches().take(-(-networks.CALIBRATION_BATCH // pipeline.batch_size))
    return np.concatenate([rgb for rgb, _ in batches.as_numpy_iterator()])


class Run:
    """The loop: what is done after each step."""

    def __init__(
        self,
        settings: Settings,
        folder: RunFolder,
        learner: Learner,
        checkpoints: Checkpoints,
        trained: TrainedNetwork,
        validation: Sequence[TruePicture],
        best: Best,
    ) -> None:
        self._settings, self._folder, self._learner, self._checkpoints = settings, folder, learner, checkpoints
        self._validation, self._best = validation, best
        # the network with the averaged weights: it is validated and kept
        averaged = keras.models.clone_model(trained.network)
        self._averaged = TrainedNetwork(network=averaged, manifest=trained.manifest)
        self._detector = networks.detector(self._averaged)

    def go(self, batches: Any, end: int) -> None:
        """Learn up to step ``end``, or until validations no longer get better; write what is to be kept."""
        wanted = self._settings.training
        is_over = False
        with (
            Progress(self._learner.step, end) as progress,
            TensorBoard(self._folder.tensorboard) as board,
            _one_line_stops(self._learner),
        ):
            try:
                for batch in batches if self._learner.step < end else ():
                    self._step(batch, progress, board)
                    step = self._learner.step
                    if self._validation and (step % wanted.validate_every == 0 or step == wanted.steps):
                        is_over = self._validate(progress, board)
                    if step % wanted.checkpoint_every == 0 or step == end or is_over:
                        self._checkpoints.save()
                    if step == end or is_over:
                        break
            except KeyboardInterrupt:
                self._checkpoints.save()
                raise
            if is_over or end == wanted.steps:
                self._keep(self._folder.last)
                if not self._validation:
                    self._keep(self._folder.best)

    def _step(self, batch: Any, progress: Progress, board: TensorBoard) -> None:
        begin = time.perf_counter()
        found = self._learner.learn(batch)
        rate = self._settings.training.batch_size / (time.perf_counter() - begin)
        step = self._learner.step
        if not all(map(math.isfinite, found.values())):
            raise NotFiniteError(
                f"the loss is {found['loss']:g} at step {step} (classes {found['classes']:g}, "
                f"boxes {found['boxes']:g}, gradient {found['gradient']:g}); "
                f"the last good checkpoint is {self._checkpoints.latest or 'none'}: "
                "lower training.learning_rate or look at the boxes"
            )
        self._folder.add({"step": step, **found, "images_per_s": round(rate, 2)})
        board.losses(step, found)
        progress.advance(step, found["loss"], rate)

    def _validate(self, progress: Progress, board: TensorBoard) -> bool:
        """Return whether it is time to stop."""
        step, wanted = self._learner.step, self._settings.training
        self._averaged.network.set_weights(self._learner.average.weights())
        labels = [label.name for label in self._settings.labels]
        found = judge(self._detector, self._validation)
        result: Figures = figures(found, labels)
        coco = {name: None if math.isnan(value) else value for name, value in result.coco.items()}
        self._folder.add({"step": step, **coco})
        board.validation(step, result, self._validation, found)
        if self._best.take(step, coco["AP50"] or 0.0, coco["AP"] or 0.0):
            self._keep(self._folder.best)
        progress.say(f"step {step}: AP {coco['AP']:.3f}, AP50 {coco['AP50']:.3f} (best {self._best.ap50:.3f})")
        return bool(wanted.patience) and self._best.since >= wanted.patience

    def _keep(self, folder: Path) -> None:
        self._averaged.network.set_weights(self._learner.average.weights())
        networks.save(self._averaged, folder)


@contextmanager
def _one_line_stops(learner: Learner) -> Iterator[None]:
    """Turn what files and data say when they fail into errors of one line."""
    try:
        yield
    except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
        raise SourceError(
            f"a picture of the training records cannot be read at step {learner.step + 1}: "
            f"{one_line(error)[:200]}; write the records again"
        ) from error
    except (SinkError, SourceError):
        raise
    except OSError as error:
        raise SinkError(f"cannot write at step {learner.step}: {one_line(error)}; make room, then --resume") from error
