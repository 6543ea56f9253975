"""What was measured, as text, as JSON and as a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minigrad.bench.measure import Entry, Result
from minigrad.bench.profiling import Count, Profile
from minigrad.bench.workloads import Size, Workload, label
from minigrad.serialization import whole

SCHEMA = 1


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    size = abs(seconds)
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if size >= scale:
            return f"{seconds / scale:.3g} {unit}" if size < 1000 * scale else f"{seconds:.0f} s"
    return f"{seconds * 1e9:.0f} ns"


# ── text ─────────────────────────────────────────────────────────────────────────────────────────


def text(results: Sequence[Result], machine: dict[str, str], missing: dict[str, str]) -> str:
    """The machine, then a table a workload: contenders down, sizes across."""
    lines = [f"{name}: {what}" for name, what in machine.items()]
    lines.append(
        "cells: median ratio (quartiles; ratio of the fastest steps), median time; memory is the "
        "peak of a step beside what it is measured by"
    )
    versions = {e.label: e.version for r in results for e in r.entries}
    lines.append("contenders: " + ", ".join(f"{who} {number}" for who, number in versions.items()))
    lines += [f"{name}: {why}" for name, why in missing.items()]
    for workload in dict.fromkeys(r.workload for r in results):
        lines += ["", *_table(workload, [r for r in results if r.workload is workload])]
    return "\n".join(lines)


def _table(workload: Workload, results: list[Result]) -> list[str]:
    """A heading, a table in Markdown, and what is to be said below it."""
    header = [workload.axes, *[label(r.size) for r in results]]
    shown = [
        {e.name: e for e in r.entries if e.name == e.base or " " not in e.name} for r in results
    ]
    rows = []
    for name in dict.fromkeys(name for entries in shown for name in entries):
        entries = [found.get(name) for found in shown]
        who = next(e.label for e in entries if e)
        if name.endswith(" gradient"):
            rows.append([f"{who}: gradient", *[duration(e.median()) if e else "" for e in entries]])
        else:
            rows.append([who, *[_cell(e, workload) if e else "" for e in entries]])
    for name in dict.fromkeys(name for entries in shown for name in entries):
        entries = [found.get(name) for found in shown]
        weights = [e.memory() if e and e.name != e.base else None for e in entries]
        if any(weights):
            who = next(e.label for e in entries if e)
            rows.append([f"{who}: memory", *[f"{w:.2f} ×" if w else "" for w in weights]])
    lines = [f"{workload.name}: {workload.title}", "", *_markdown([header, *rows])]
    left_out = {f"{who} ({why})": None for r in results for who, why in r.skipped.items()}
    if left_out:
        lines += ["", "Left out: " + "; ".join(left_out) + "."]
    lines += [line for r in results if r.unequal for line in ("", f"NOT TIMED: {r.unequal}")]
    return lines


def _cell(e: Entry, workload: Workload) -> str:
    """Ratio, its quartiles and the median; for single calls the time that is added."""
    if e.name == e.base:
        return duration(e.median())
    if workload.calls > 1:
        middle, low, high = map(duration, e.added())
        return f"+ {middle} ({low} – {high})"
    middle, low, high = (f"{r:.2f}" for r in e.ratio())
    return f"{middle} × ({low}–{high}; {e.fastest():.2f}), {duration(e.median())}"


def _markdown(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows = [rows[0], ["-" * width for width in widths], *rows[1:]]
    return [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]


def profile_text(workload: Workload, size: Size, found: Profile) -> str:
    """A table of a step's operations, those that take longest first."""
    names = dict.fromkeys([*found.forward, *found.backward])
    pairs = {n: (found.forward.get(n, Count()), found.backward.get(n, Count())) for n in names}
    header = ["operation", *["calls", "forward", "bytes"], *["calls", "backward", "bytes"], "share"]
    rows = [header]
    for name, counts in sorted(pairs.items(), key=lambda item: -sum(c.seconds for c in item[1])):
        cells = [name]
        for c in counts:
            told = (f"{c.calls / found.steps:g}", duration(c.seconds / found.steps))
            cells += [*told, f"{c.bytes / found.steps:,.0f}"] if c.calls else ["", "", ""]
        rows.append([*cells, f"{sum(c.seconds for c in counts) / found.seconds:.0%}"])
    rest = found.elsewhere()
    share = f"{rest / found.seconds:.0%}"
    rows.append(["outside operations", "", duration(rest / found.steps), *[""] * 4, share])
    title = (
        f"{workload.name} at {label(size)}: one step of minigrad, {found.steps} measured, "
        f"{duration(found.seconds / found.steps)} each; watching a call adds about 1 µs to it"
    )
    return "\n".join([title, "", *_markdown(rows)])


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────


def write_json(
    path: Path, results: Sequence[Result], machine: dict[str, str], missing: dict[str, str]
) -> None:
    """Write everything as JSON; a whole file or none. Times are in seconds, memory in bytes."""
    record = {
        "schema": SCHEMA,
        "machine": machine,
        "missing": missing,
        "results": [_record(r) for r in results],
    }
    with whole(path) as part:
        part.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _record(r: Result) -> dict[str, Any]:
    return {
        "workload": r.workload.name,
        "title": r.workload.title,
        "size": list(r.size),
        "axes": r.workload.axes,
        "rounds": len(r.entries[0].seconds) if r.entries else 0,
        "not_timed": r.unequal,
        "left_out": r.skipped,
        "entries": [_entry(e) for e in r.entries],
    }


def _entry(e: Entry) -> dict[str, Any]:
    ratio, *quartiles = e.ratio()
    return {
        "name": e.name,
        "label": e.label,
        "version": e.version,
        "median": e.median(),
        "quartiles": list(e.quartiles()),
        "against": e.base,
        "ratio": ratio,
        "ratio_quartiles": quartiles,
        "ratio_of_fastest": e.fastest(),
        "added": e.added()[0],
        "peak_memory": e.peak,
        "memory_ratio": e.memory(),
    }


# ── the picture ──────────────────────────────────────────────────────────────────────────────────


def write_plot(path: Path, results: Sequence[Result]) -> None:
    """Draw the ratios against the sizes, a panel a workload; quartiles as bars."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only where a picture is asked for

    groups = [
        (w, [r for r in results if r.workload is w and r.entries])
        for w in dict.fromkeys(r.workload for r in results)
    ]
    groups = [(w, timed) for w, timed in groups if timed]
    columns = min(len(groups), 4)
    rows = -(-len(groups) // columns)
    figure = Figure(figsize=(4 * columns, 3.4 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flat
    colours = {e.label: f"C{i}" for i, e in enumerate(_labels(results))}
    for panel, (workload, timed) in zip(panels, groups, strict=False):
        for who, colour in colours.items():
            points = [
                (i, *e.ratio())
                for i, r in enumerate(timed)
                for e in r.entries
                if e.label == who and e.name != e.base
            ]
            if points:
                at, middle, low, high = (list(column) for column in zip(*points, strict=True))
                below = [m - q for m, q in zip(middle, low, strict=True)]
                above = [q - m for m, q in zip(middle, high, strict=True)]
                style = {"marker": "o", "markersize": 4, "capsize": 2, "label": who}
                panel.errorbar(at, middle, yerr=[below, above], color=colour, **style)
        panel.axhline(1, color="0.5", linewidth=0.8)
        panel.set_yscale("log")
        panel.set_title(workload.name)
        panel.set_xticks(range(len(timed)), [label(r.size) for r in timed], rotation=20)
        panel.set_ylabel("× own gradient" if workload.against != "numpy" else "× NumPy by hand")
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter("{x:g}")
    for panel in list(figure.axes)[len(groups) :]:
        panel.set_axis_off()
    found = [panel.get_legend_handles_labels() for panel in figure.axes]
    handles = {who: line for lines, names in found for line, who in zip(lines, names, strict=True)}
    figure.legend(list(handles.values()), list(handles), loc="outside right upper")
    with whole(path) as part:
        figure.savefig(part, format=path.suffix[1:] or "png")


def _labels(results: Sequence[Result]) -> list[Entry]:
    """One entry a contender, in the order they came."""
    return list({e.label: e for r in results for e in r.entries}.values())
