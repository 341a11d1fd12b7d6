"""Programs that print while results are written, as processes: file descriptors are theirs alone there."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from hybridtrack.sinks.standard_output import end_of_results, reserved_for_results, results

ROOT = Path(__file__).parents[2]
HEAD = "import os, sys\nfrom hybridtrack.sinks.standard_output import end_of_results, reserved_for_results, results\n"

needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs the C library of a POSIX system and its pipes")


def run(program: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", HEAD + textwrap.dedent(program)]
    return subprocess.run(command, text=True, stderr=subprocess.PIPE, cwd=ROOT, timeout=60, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    "noise",
    [
        "print('noise')",
        "sys.stdout.write('noise\\n')",
        "print('noise', file=sys.__stdout__)",
        "os.write(1, b'noise\\n')",
        "import subprocess; subprocess.run([sys.executable, '-c', 'print(\"noise\")'])",
    ],
)
def test_results_alone_reach_standard_output_and_noise_is_not_lost(noise: str) -> None:
    program = f"""
        print("before")
        with reserved_for_results():
            {noise}
            print("result", file=results())
        print("after")
        end_of_results()
    """
    done = run(program, stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "before\nresult\nafter\n", "noise\n")


@needs_posix
def test_noise_that_comes_out_only_when_the_process_ends_is_no_result() -> None:
    program = """
        import atexit, ctypes
        with reserved_for_results():
            atexit.register(print, "of an exit handler")
            ctypes.CDLL(None).printf(b"of a buffer of C\\n")
            print("result", file=results())
        end_of_results()
    """
    done = run(program, stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (0, "result\n")
    assert sorted(done.stderr.splitlines()) == ["of a buffer of C", "of an exit handler"]


def test_stream_that_a_plugin_closed_stops_nobody() -> None:
    program = """
        with reserved_for_results():
            sys.stdout.close()
            print("result", file=results())
        print("after")
    """
    done = run(program, stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "result\nafter\n", "")


@needs_posix
def test_result_that_nobody_reads_fails_once_and_not_again_at_the_end() -> None:
    program = """
        try:
            with reserved_for_results():
                print("result", file=results())
        except BrokenPipeError:
            sys.exit(7)
    """
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = run(program, stdout=write_end)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (7, "")


@needs_posix
@pytest.mark.parametrize("closed", [1, 2])
def test_program_without_a_standard_stream_runs(closed: int) -> None:
    code = HEAD + "with reserved_for_results():\n    print('noise')\n    os.write(2, b'') if sys.stderr else None\n"
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -c "$1" {closed}>&-', sys.executable, code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_where_nothing_is_reserved_results_go_where_everybody_prints() -> None:
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        print("result", file=results())
    assert text.getvalue() == "result\n"


def test_who_has_replaced_standard_output_gets_the_results(capfd: pytest.CaptureFixture[str]) -> None:
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        with reserved_for_results(), reserved_for_results():
            print("result", file=results())
            print("noise")
            os.write(1, b"noise\n")
        end_of_results()
        print("after")
    os.write(1, b"after\n")
    assert text.getvalue() == "result\nafter\n"
    assert capfd.readouterr() == ("after\n", "noise\nnoise\n")
