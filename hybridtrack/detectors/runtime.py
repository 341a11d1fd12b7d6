"""What runs a bundle's network: LiteRT, or TensorFlow on the same file or on a SavedModel. Numpy in, numpy out."""

from __future__ import annotations

import contextlib
import importlib
import math
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from hybridtrack.config import RUNTIMES
from hybridtrack.detectors.bundle import Bundle
from hybridtrack.errors import BundleError, MissingPackageError, UsageError
from hybridtrack.types import Array


@dataclass(frozen=True, slots=True)
class Quantisation:
    """How a tensor's stored numbers stand for real ones: real = (stored - zero_point) * scale. Floats: 1 and 0."""

    dtype: np.dtype[Any]
    scale: float = 1.0
    zero_point: int = 0

    def real(self, stored: Array) -> Array:
        """Return the float32 numbers that ``stored`` stands for."""
        if stored.dtype == np.float32:
            return stored
        real: Array = (stored.astype(np.float32) - self.zero_point) * np.float32(self.scale)
        return real

    def least_stored(self, real: float) -> float:
        """Return the least stored number that stands for ``real`` or more; of an integer type, a whole one in it."""
        if self.dtype == np.float32:
            return real
        bounds = np.iinfo(self.dtype)
        return int(np.clip(math.ceil(real / self.scale) + self.zero_point, bounds.min, bounds.max))


FLOAT32 = Quantisation(np.dtype(np.float32))


class Network(Protocol):
    """A loaded network. Each instance is called from one thread only."""

    encodings: Quantisation
    logits: Quantisation

    def run(self, rgb: Array) -> tuple[Array, Array]:
        """Return encodings (A, 4) and logits (A, 1 + classes) as stored, of uint8 RGB (H, W, 3) at the input's size."""
        ...


def open_network(
    bundle: Bundle, *, precision: str | None = None, runtime: str | None = None, threads: int = 1
) -> Network:
    """Return the bundle's network, ready to run.

    ``precision``: one that the bundle has; None: its default. ``runtime``: one of ``RUNTIMES``; None: LiteRT where it
    is installed, else TensorFlow. Raises BundleError, MissingPackageError and UsageError.
    """
    if runtime is not None and runtime not in RUNTIMES:
        raise UsageError(f"unknown runtime {runtime!r}; choose from {', '.join(RUNTIMES)}")
    if threads < 1:
        raise UsageError(f"threads is {threads}, expected 1 or more")
    model = bundle.model(precision)
    if model.endswith(".tflite"):
        content = bundle.read(model)
        interpreter = _interpreter_class(runtime)
        try:
            with quiet_stderr():
                return InterpreterNetwork(interpreter(model_content=content, num_threads=threads), bundle)
        except (ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise BundleError(f"cannot load {model!r} of bundle {bundle.name!r}: {reason}") from error
    if runtime == "litert":
        raise UsageError(f"{model!r} of bundle {bundle.name!r} is a SavedModel; run it with the runtime 'tensorflow'")
    for file in bundle.manifest.sha256:
        if file.startswith(f"{model}/"):
            bundle.read(file)
    return SavedModelNetwork(bundle.folder / model, bundle)


class InterpreterNetwork:
    """A .tflite network in an interpreter of LiteRT or TensorFlow, which have one interface."""

    def __init__(self, interpreter: Any, bundle: Bundle) -> None:
        interpreter.allocate_tensors()
        (taken,) = interpreter.get_input_details()
        width, height = bundle.input_size_px
        shape = tuple(taken["shape"].tolist())
        if shape != (1, height, width, 3):
            raise ValueError(f"input has shape {shape}, bundle.toml says {(1, height, width, 3)}")
        outputs = _outputs_by_name(interpreter)
        wanted = bundle.manifest.outputs
        for name in (wanted.encodings, wanted.logits):
            if name not in outputs:
                raise ValueError(f"no output {name!r} among {sorted(outputs)}")
        self._interpreter = interpreter
        self._input = interpreter.tensor(taken["index"])  # a function: a view that is kept would forbid ``invoke``
        self._encodings_index = outputs[wanted.encodings]["index"]
        self._logits_index = outputs[wanted.logits]["index"]
        self.encodings = _quantisation(outputs[wanted.encodings])
        self.logits = _quantisation(outputs[wanted.logits])
        self._fill = input_filler(input_table(bundle.manifest.input.range, _quantisation(taken)))

    def run(self, rgb: Array) -> tuple[Array, Array]:
        self._fill(rgb, self._input()[0])
        self._interpreter.invoke()
        return (
            self._interpreter.get_tensor(self._encodings_index)[0],
            self._interpreter.get_tensor(self._logits_index)[0],
        )


class SavedModelNetwork:
    """A SavedModel in TensorFlow: float32 in and out, signature ``serving_default``."""

    def __init__(self, folder: Path, bundle: Bundle) -> None:
        self._tf = _import_tensorflow()
        try:
            self._model = self._tf.saved_model.load(str(folder))  # kept: its function holds its variables weakly
            self._function = self._model.signatures["serving_default"]
        except (OSError, KeyError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise BundleError(f"cannot load {folder.name!r} of bundle {bundle.name!r}: {reason}") from error
        self._outputs = bundle.manifest.outputs
        self._table = input_table(bundle.manifest.input.range, FLOAT32)
        self.encodings = FLOAT32
        self.logits = FLOAT32

    def run(self, rgb: Array) -> tuple[Array, Array]:
        outputs = self._function(self._tf.constant(self._table[rgb][None]))
        return outputs[self._outputs.encodings].numpy()[0], outputs[self._outputs.logits].numpy()[0]


def input_filler(table: Array) -> Callable[[Array, Array], object]:
    """Return what writes ``table[rgb]`` into its second argument, the network's own memory (H, W, 3)."""
    if table.dtype == np.int8 and np.array_equal(table, np.arange(-128, 128)):
        return lambda rgb, out: np.bitwise_xor(rgb, 128, out=out.view(np.uint8))  # 128 less, in a tenth of the time
    return lambda rgb, out: cv2.LUT(rgb, table, dst=out)


def input_table(value_range: tuple[float, float], quantisation: Quantisation) -> Array:
    """Return what the network takes, as stored (256,), for each value of a channel; ``value_range``: of 0 and 255."""
    low, high = value_range
    real = np.arange(256) * ((high - low) / 255) + low
    dtype = quantisation.dtype
    if dtype == np.float32:
        return real.astype(dtype)
    bounds = np.iinfo(dtype)
    stored = real / quantisation.scale + quantisation.zero_point
    shifted = np.arange(bounds.min, bounds.min + 256)
    if np.abs(stored - shifted).max() < 0.501:  # -1..1 in 255 steps lies just between two integers: take the simple one
        return shifted.astype(dtype)
    return np.clip(np.round(stored), bounds.min, bounds.max).astype(dtype)


def _quantisation(details: dict[str, Any]) -> Quantisation:
    scale, zero_point = details["quantization"]
    dtype = np.dtype(details["dtype"])
    return Quantisation(dtype, float(scale), int(zero_point)) if scale else Quantisation(dtype)


def _outputs_by_name(interpreter: Any) -> dict[str, dict[str, Any]]:
    """Return the details of the output tensors by the signature's names; without a signature, by the tensors' own."""
    if interpreter.get_signature_list():
        outputs: dict[str, dict[str, Any]] = interpreter.get_signature_runner().get_output_details()
        return outputs
    return {details["name"]: details for details in interpreter.get_output_details()}


def _interpreter_class(runtime: str | None) -> Any:
    """Return LiteRT's Interpreter, or TensorFlow's, which takes the same arguments. Raises MissingPackageError."""
    if runtime != "tensorflow":
        try:
            return importlib.import_module("ai_edge_litert.interpreter").Interpreter
        except ImportError as error:
            if runtime == "litert":
                raise MissingPackageError(
                    "the runtime 'litert' needs the package ai-edge-litert, which is not installed; "
                    "install it, or use --runtime tensorflow"
                ) from error
    return _tensorflow_interpreter


def _tensorflow_interpreter(**arguments: Any) -> Any:
    tensorflow = _import_tensorflow()
    with (
        warnings.catch_warnings()
    ):  # it announces its move to ai-edge-litert; where that has no wheel this is all there is
        warnings.simplefilter("ignore")
        return tensorflow.lite.Interpreter(**arguments)


def _import_tensorflow() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        with quiet_stderr():
            return importlib.import_module("tensorflow")
    except ImportError as error:
        raise MissingPackageError(
            "the runtime 'tensorflow' needs the package tensorflow, which is not installed; "
            "install hybridtrack[train] or tensorflow"
        ) from error


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep what native libraries print while they load off the terminal; Python's errors still come as exceptions."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
