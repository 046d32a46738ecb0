"""The words of the form of classes: what can be chosen, what that does, and the sentences that come of it."""

from __future__ import annotations

from rich.text import Text
from textual.content import Content

from tui.annotation import EncoderChoice
from tui.widgets.cluster_list import middle_cut, plain

OWN = "own"
PROMPTS = (
    ("auto: by the names", "auto"),
    ("objects: a photo of a …", "objects"),
    ("digits", "digits"),
    ("signs: sign language", "signs"),
    ("imagenet: 80 sentences each", "imagenet"),
    ("your own sentences", OWN),
)
METHODS = (
    ("auto: graph from 100 pictures on", "auto"),
    ("text: the words alone", "text"),
    ("refine: ten rounds of prototypes", "refine"),
    ("graph: pictures alike decide together", "graph"),
)
WHAT_METHODS_DO = {
    "auto": "Below 100 pictures the words alone decide; from there on pictures that are alike decide together.",
    "text": "Each picture takes the class whose sentences are nearest to it. Fast, and no surprises.",
    "refine": "Classes move towards the pictures they were given, ten times. May empty a class; it is said which.",
    "graph": "Words, and the classes of the pictures most like it, round by round. The best on most piles.",
}
PLACEHOLDER = """dog
cat
polar bear: bear on ice; cub

One class a line.

After a colon: words of your
own in place of the prompts,
parted by semicolons."""
_FEWEST_OF_LABEL = 12
MOST_SHOWN = 12
"""Prompts shown of the class at the cursor."""


def encoder_words(choice: EncoderChoice, room: int) -> Content:
    """An encoder in `room` cells: what is said of it is whole, its name gives way."""
    label = middle_cut(choice.label, max(room - len(choice.said) - 2, _FEWEST_OF_LABEL))
    return Content.assemble(label, (f"  {choice.said}", "dim"))


def prompt_words(named: str, found: list[tuple[str, list[str]]], at: str) -> Text:
    """All sentences of the class at the cursor, then the first of each other one."""
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"prompts · {plain(named)}\n", "dim")
    here = next((pair for pair in found if pair[0] == at), found[0])
    for number, (name, own) in enumerate([here, *(pair for pair in found if pair is not here)]):
        text.append(f"{plain(name)}\n", "bold")
        most = MOST_SHOWN if number == 0 else 1
        for sentence in own[:most]:
            text.append(f"  {plain(sentence)}\n")
        if len(own) > most:
            text.append(f"  and {len(own) - most} more\n", "dim")
        if number == 60:
            text.append(f"and {len(found) - number - 1:,} classes more\n", "dim")
            break
    return text
