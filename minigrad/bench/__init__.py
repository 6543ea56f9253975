"""The benchmark: equal work by minigrad, by hand and by other frameworks, timed side by side.

`workloads` says what is computed, `peers` how each contender computes it, `measure` compares their
results and then times them, `report` shows the answer; `profiling` takes minigrad's own time apart.
"""

from __future__ import annotations

from minigrad.course import CourseError


class BenchError(CourseError):
    """A benchmark that cannot be run: what was asked, what was found, what to do."""
