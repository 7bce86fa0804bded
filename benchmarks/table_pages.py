"""The parts of ``results/README.md`` about the local server's pages: how quick they are, and what they keep through kills."""

from __future__ import annotations

from typing import Any


def open_page_part(figures: dict[str, Any], machine: str) -> list[str]:
    """What a page over many pictures takes."""
    rows = figures["milliseconds_to_rows_and_to_all_seen_pictures"]
    (speed,) = (name for name in figures if name.startswith("frames_while_scrolling_"))
    frames, pixels = figures[speed], int(speed.removeprefix("frames_while_scrolling_").split("_")[0])
    memory = {
        "at the start": figures["memory_at_the_start"],
        "after scrolling to the end": figures["memory_after_scrolling_to_the_end"],
    }
    return [
        "## The page over a folder",
        "",
        f"`imagereward open` with {figures['pictures']:,} pictures in Chromium; the server listens after "
        f"{figures['seconds_until_the_server_listens']} s. `python -m benchmarks.open_page`. {machine}",
        "",
        "| opened | first rows, ms | all pictures seen, ms |",
        "| --- | --- | --- |",
        *(f"| {name} | {row['rows']:,} | {row['pictures']:,} |" for name, row in rows.items()),
        "",
        f"Scrolled by {pixels:,} pixels a second through {figures['share_of_the_page_scrolled_through']:.0%} of the page: "
        f"{frames['number']} frames, half of them at most {frames['median_ms']} ms, 19 of 20 at most {frames['95_percent_ms']} ms, "
        f"the longest {frames['longest_ms']} ms.",
        "",
        "| memory | heap of the page, MiB | its nodes | server, MiB |",
        "| --- | --- | --- | --- |",
        *(
            f"| {when} | {row['page_heap_mib']} | {row['page_nodes']:,} | {row['server_rss_mib']} |"
            for when, row in memory.items()
        ),
        "",
    ]


def annotation_kills_part(figures: dict[str, Any], machine: str) -> list[str]:
    """What was killed under annotators, and what was lost."""
    lines = [
        "## Annotation killed while people work",
        "",
        f"{figures['what']}; {figures['people_for_each_task']} people are asked about each task. "
        f"`python -m benchmarks.annotation_kills`. {machine}",
        "",
        "| database | annotators | kills | answers confirmed | drafts looked for | requests sent again | did not hold |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for run in figures["runs"]:
        wrong = "; ".join(map(str, run["wrong"])) or "nothing"
        lines.append(
            f"| {run['database']} | {run['annotators']} | {run['kills']} | {run['answers_confirmed']:,} | {run['drafts_looked_for']:,} | "
            f"{run['requests_sent_again']:,} | {wrong} |"
        )
    return [*lines, ""]
