"""What a long training shows of itself, and how it hears that it should stop."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

if TYPE_CHECKING:
    from livevae.training.loop import State


class Interrupts:
    """Remembers Ctrl-C, or a request to end, so that a step can be finished first."""

    def __init__(self) -> None:
        self._came = False

    def came(self) -> bool:
        """Say whether the user wants to stop."""
        return self._came

    def __enter__(self) -> Interrupts:
        self._before = {
            number: signal.signal(number, self._remember)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _remember(self, *_: object) -> None:
        self._came = True


class Watcher:
    """Shows a training: a progress bar, and a line for each validation."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
        )
        self._task = self._progress.add_task("Training", total=1.0, left="")
        self._began: tuple[float, float] | None = None

    def __enter__(self) -> Watcher:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def watch(self, state: State) -> None:
        """Show one step."""
        if self._began is None:
            self._began = (state.progress, state.seconds)
        if state.metrics is None:
            return
        line = state.metrics
        text = f"step {line.step}  loss {line.loss:.1f}  KL {line.bits:.0f} bits"
        best = f"  best F1 {state.best_f1:.3f}" if state.best_f1 >= 0 else ""
        self._progress.update(
            self._task, completed=state.progress, description=text + best, left=self._left(state)
        )
        if line.validation_f1 is not None:
            self._console.print(
                f"{state.seconds / 60:5.1f} min  {text}  onset {line.onset:.1f}  "
                f"velocity {line.velocity:.2f}  offset {line.offset:.2f}  "
                f"validation F1 {line.validation_f1:.4f} at {line.validation_bits:.0f} bits",
                soft_wrap=True,
                highlight=False,
            )

    def _left(self, state: State) -> str:
        """Return the time left at the speed since this process began."""
        assert self._began is not None  # noqa: S101 - set by the step before
        progress, seconds = self._began
        if state.progress <= progress:
            return ""
        speed = (state.progress - progress) / (state.seconds - seconds)
        left = round((1 - state.progress) / speed)
        return f"{left // 3600}:{left % 3600 // 60:02}:{left % 60:02} left"
