"""Filters above the pictures of a report. Without the page's script there are none, and pictures stand by rank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from .contents import NO_LORA, NO_MODEL, Contents, Names
from .html_text import escape

MOST_OPTIONS = 200
"""Entries of a menu; whoever looks for a rarer one types a part of it."""
_LONGEST = 90


def tools_html(contents: Contents) -> str:
    """How pictures are grouped and sorted, and which are shown."""
    scored = contents.shown
    prompts = len(contents.prompts)
    kept = sum(fact.kept for fact in scored)
    ways = [("prompt", "By prompt", None), ("all", "Overall", None)]
    if len(scored) < 2 * prompts:  # hardly any picture has a rival within its prompt
        ways.reverse()
    groups = choice_html("group", "Group", ways) if prompts > 1 else ""
    options = [
        ("all", "All", len(scored)),
        ("kept", "Kept", kept),
        ("rejected", "Rejected", len(scored) - kept),
    ]
    shown = choice_html("show", "Show", options) if 0 < kept < len(scored) else ""
    rated = any(contents.entries[fact.index].stars is not None for fact in scored)
    by_stars = '<option value="stars">Stars</option>' if rated else ""
    return f"""<form class="tools js" autocomplete="off" aria-label="What to show"><div class="line">{groups}{shown}
<label class="sort">Sort <select id="sort"><option value="best">Best first</option><option value="worst">Worst first</option>
{by_stars}<option value="name">File name</option><option value="input">As given</option></select></label>
<p id="count" role="status"></p></div>
{_filters(contents, rated) if len(scored) > 1 else ""}</form>"""


def _filters(contents: Contents, rated: bool) -> str:
    """The filters that these pictures can be told apart by."""
    fields = [
        '<label class="wide">Text <input type="search" id="text" placeholder="in name, prompt, model, LoRA or seed"></label>'
    ]
    if contents.scores.distribution is not None:
        fields.append(
            '<label>Percentile from <input type="number" id="percentile" min="0" max="100" step="any" placeholder="0"></label>'
        )
    if len(contents.prompts) > 1:
        fields.append(_menu("prompt", "Prompt", "Any prompt", _prompts(contents), "wide"))
    fields += [
        _names("model", "Model", "Any model", contents.models, _without(contents, "model"), NO_MODEL),
        _names("lora", "LoRA", "Any LoRA", contents.loras, _without(contents, "loras"), NO_LORA),
        _names("bucket", "Bucket", "Any bucket", contents.buckets, 0, ""),
    ]
    if rated:
        fields.append(_menu("stars", "Stars", "Any", _star_options(contents)))
    return f"""<div class="line filters" role="group" aria-label="Filters">{"".join(filter(None, fields))}
<button type="button" id="clear" hidden>Clear filters</button></div>"""


def _without(contents: Contents, name: str) -> int:
    return sum(not getattr(contents.entries[fact.index], name) for fact in contents.shown)


def _names(identity: str, title: str, anything: str, names: Names, without: int, nothing: str) -> str:
    """A menu of names; nothing where all pictures have the same one."""
    if len(names) + bool(without) < 2 or not len(names):
        return ""
    options = [
        (str(number), name, names.counts[name])
        for number, name in enumerate(list(names.counts)[:MOST_OPTIONS])
    ]
    if without:
        options.append(("-1", nothing, without))
    return _menu(identity, title, anything, options)


def _prompts(contents: Contents) -> list[tuple[str, str, int]]:
    counts = Counter(contents.prompts[fact.prompt] for fact in contents.shown)
    return [
        (str(number), contents.prompt_texts[number][0] or "No prompt", many)
        for number, many in counts.most_common(MOST_OPTIONS)
    ]


def _star_options(contents: Contents) -> list[tuple[str, str, int]]:
    stars = [contents.entries[fact.index].stars for fact in contents.shown]
    given = [each for each in stars if each is not None]
    options = [
        (str(least), f"{'★' * least}{'' if least == 5 else ' or more'}", sum(each >= least for each in given))
        for least in (5, 4, 3, 2, 1)
    ]
    return [*options, ("-1", "Not rated", len(stars) - len(given))]


def _menu(
    identity: str, title: str, anything: str, options: Iterable[tuple[str, str, int]], kind: str = ""
) -> str:
    """A menu of (value, text, how many)."""
    listed = "".join(
        f'<option value="{value}">{escape(_short(text))} ({many:,})</option>' for value, text, many in options
    )
    return (
        f'<label{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>{title} <select id="{identity}"><option value="">{anything}</option>'
        f"{listed}</select></label>"
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"


def choice_html(name: str, label: str, options: Sequence[tuple[str, str, int | None]]) -> str:
    """A row of buttons of which one is pressed."""
    buttons = "".join(
        f'<label><input type="radio" name="{name}" value="{value}"{" checked" if place == 0 else ""}><span>{text}'
        f"{'' if number is None else f' <small>{number:,}</small>'}</span></label>"
        for place, (value, text, number) in enumerate(options)
    )
    return f'<fieldset class="choice"><legend>{label}</legend>{buttons}</fieldset>'
