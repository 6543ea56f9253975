"""Execute lessons, each in a fresh kernel of the Python that runs this."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from tqdm import tqdm  # type: ignore[import-untyped]

from minigrad.course.notebooks import Lesson, copy_data

TIMEOUT = 600  # seconds a lesson may take


@dataclass
class Run:
    """A lesson's notebook as it came out, and where it stopped (if it did)."""

    lesson: Lesson
    notebook: Any
    failure: str = ""


def load(lesson: Lesson) -> Any:
    """Read the notebook of a lesson, in the current format."""
    return nbformat.read(lesson.path, as_version=4)  # type: ignore[no-untyped-call]


def execute(lessons: list[Lesson], timeout: float = TIMEOUT) -> list[Run]:
    """Run every cell of ``lessons``; a cell that fails stops its lesson, and the next one starts.

    A lesson works in a folder of its own that holds a copy of the data beside the notebooks, so
    the notebooks and their folder stay as they are.
    """
    runs = [Run(lesson, load(lesson)) for lesson in lessons]
    with tqdm(total=sum(len(_code(run)) for run in runs), unit="cell", leave=False) as bar:
        for run in runs:
            bar.set_description(run.lesson.path.stem)
            end = bar.n + len(_code(run))
            with tempfile.TemporaryDirectory(prefix="minigrad-lesson-") as folder:
                copy_data(run.lesson.path.parent, Path(folder))
                run.failure = asyncio.run(_execute(run, folder, timeout, bar))
            bar.update(end - bar.n)
    return runs


def attempt(run: Run, folder: Path, timeout: float = TIMEOUT) -> None:
    """Run every cell of one notebook in ``folder``, those after a cell that fails too."""
    with tqdm(total=len(_code(run)), unit="cell", leave=False, desc=run.lesson.path.stem) as bar:
        run.failure = asyncio.run(_execute(run, str(folder), timeout, bar, go_on=True))


async def _execute(run: Run, folder: str, timeout: float, bar: Any, *, go_on: bool = False) -> str:
    """Execute one notebook in place and answer what stopped it, if anything did."""
    for cell in _code(run):
        cell.outputs, cell.execution_count = [], None  # what shows is what ran
    reached = 0

    def start(cell_index: int, **_: Any) -> None:
        nonlocal reached
        reached = cell_index

    interrupt = signal.getsignal(signal.SIGINT)

    def keep_interrupt(**_: Any) -> None:
        # nbclient takes Ctrl-C as a dead kernel, and the next lesson would start. asyncio's own
        # handler ends this coroutine, which stops the kernel on its way out.
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        with contextlib.suppress(ValueError):  # signals belong to the main thread
            signal.signal(signal.SIGINT, interrupt)

    client = NotebookClient(
        run.notebook,
        kernel_manager_class=_Kernel,
        shutdown_kernel="immediate",
        allow_errors=go_on,
        coalesce_streams=True,  # what one cell prints is one output
        resources={"metadata": {"path": folder}},
        on_notebook_start=keep_interrupt,
        on_cell_execute=start,
        on_cell_executed=lambda **_: bar.update(),
    )
    try:
        async with asyncio.timeout(timeout) as limit:
            await client.async_execute()
    except CellExecutionError as error:
        reason = f"{error.ename}: {error.evalue}"
    except (DeadKernelError, TimeoutError):
        # nbclient takes a coroutine that is cancelled, too, for a kernel that died.
        if limit.expired():
            reason = f"ran longer than the {timeout:g} s a lesson may take"
        elif (task := asyncio.current_task()) and task.cancelling():
            raise asyncio.CancelledError from None
        else:
            reason = "its kernel died"
    except RuntimeError as error:  # the kernel did not start
        return f"its kernel did not start: {error}"
    else:
        return ""
    cell = run.notebook.cells[reached]
    if not any(output.output_type == "error" for output in cell.outputs):  # it did not raise
        stopped = {"ename": "Stopped", "evalue": reason, "traceback": [f"Stopped: {reason}"]}
        cell.outputs.append(
            nbformat.v4.new_output("error", **stopped)  # type: ignore[no-untyped-call]
        )
    lines = cell.source.split("\n")
    code = "".join([f"\n    | {line}" for line in lines if line.strip()][:3])
    return f"cell {reached + 1} of {len(run.notebook.cells)}: {reason}{code}"


def _code(run: Run) -> list[Any]:
    """List the cells that will run."""
    return [c for c in run.notebook.cells if c.cell_type == "code" and c.source.strip()]


class _ThisPython(KernelSpecManager):
    """Knows one kernel: the interpreter that runs this, whatever is installed on the machine."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Describe a kernel of this interpreter, whatever ``kernel_name`` says."""
        return KernelSpec(**get_kernel_dict())


class _Kernel(AsyncKernelManager):
    """A kernel manager that finds its kernels there."""

    def __init__(self, **options: Any) -> None:
        super().__init__(kernel_spec_manager=_ThisPython(), **options)
        if self.has_trait("transport_encryption"):  # else a new ipykernel warns on the terminal
            self.transport_encryption = "auto"
