"""Options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

SETTING_OPTIONS = (
    *("encoder", "weights", "model_config", "device", "seed", "max_file_mb"),
    *("base_url", "model", "per_cluster", "context", "max_calls", "max_cost", "price_in", "price_out"),
)
"""The common options that are settings of the same name."""


GRAPHICS = ("auto", "kitty", "sixel", "halfcell", "none")


def screen(command: Command) -> Command:
    """How the terminal app opens."""
    for option in reversed(
        (
            click.option(
                "--project", type=click.Path(path_type=Path), help="Open, or keep, the project in this folder."
            ),
            click.option(
                "--graphics",
                type=click.Choice(GRAPHICS),
                default="auto",
                show_default=True,
                help="How pictures are drawn; shoebox doctor explains what was found.",
            ),
        )
    ):
        command = option(command)
    return command


class Place(click.Path):
    """A source: a path (not an empty one: `shoebox run "$UNSET"` does not mean where the user stands), or its text."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path; what names no file as it was written. Fails for an empty one."""
        from core.sources.places import names_remote

        if value == "":
            self.fail("is empty", param, ctx)
        if isinstance(value, str) and (names_remote(value) or value.startswith(("http://", "https://"))):
            return value
        return super().convert(value, param, ctx)


def encoder(command: Command) -> Command:
    """What pictures are embedded with: the settings of SETTING_OPTIONS."""
    for option in reversed(_encoder_options(several=False)):
        command = option(command)
    return command


def _encoder_options(*, several: bool) -> tuple[Callable[[Command], Command], ...]:
    words = "The encoder; shoebox encoders lists some."
    return (
        click.option(
            "--encoder",
            metavar="SPEC",
            multiple=several,
            help=f"{words} Several decide together." if several else words,
        ),
        click.option("--weights", type=click.Path(path_type=Path), help="A checkpoint on disk."),
        click.option("--model-config", type=click.Path(path_type=Path), help="The model that --weights is of."),
        click.option("--device", metavar="DEVICE", help="auto, cuda, cuda:N, mps or cpu."),
        click.option("--seed", type=int, help="Same seed, same result."),
    )


def settings_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Of a command's parameters those that are settings and were given."""
    return {name: given[name] for name in SETTING_OPTIONS if given.get(name) is not None}


def common(command: Command) -> Command:
    """What every stage takes: the project, the encoder, and how to answer."""
    return _common(command, several_encoders=False)


def common_of_several(command: Command) -> Command:
    """The same, where several encoders may be named."""
    return _common(command, several_encoders=True)


def _common(command: Command, *, several_encoders: bool) -> Command:
    for option in reversed(
        (
            click.argument("path", required=False, type=Place(path_type=Path)),
            click.option("--project", type=click.Path(path_type=Path), help="Keep the project in this folder."),
            *_encoder_options(several=several_encoders),
            click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
            click.option("--quiet", is_flag=True, help="No progress."),
            click.option("--yes", is_flag=True, help="Answer yes to what would be asked."),
        )
    ):
        command = option(command)
    return command


REMOTE_OPTIONS = (
    *("after", "before", "limit", "sample", "endpoint", "region", "anonymous"),
    *("retry_failed", "allow_private"),
)
"""The options of a source, under their names in a job's parameters."""


def source(command: Command) -> Command:
    """What to take of a source, and how to download it."""
    for option in reversed(
        (
            click.option("--sample", type=click.IntRange(min=0), help="So many pictures, evenly spaced; 0: all."),
            click.option("--limit", type=click.IntRange(min=0), help="No more downloads than this; 0: no limit."),
            click.option("--after", metavar="TIME", help="reddit: posts after a date, or an age such as 30d."),
            click.option("--before", metavar="TIME", help="reddit: posts before it."),
            click.option("--endpoint", metavar="URL", help="s3: where the bucket is, if not at Amazon."),
            click.option("--region", metavar="NAME", help="s3: the region it is in; mostly found out."),
            click.option("--anonymous", is_flag=True, help="s3: without keys, even if there are some."),
            click.option("--retry-failed", is_flag=True, help="Try the downloads that failed again."),
            click.option("--allow-private", is_flag=True, help="Download from private addresses, too."),
            click.option("--max-file-mb", type=click.IntRange(min=1), help="Refuse larger files.  [default: 512]"),
        )
    ):
        command = option(command)
    return command


def clustering(command: Command) -> Command:
    """How to cluster."""
    for option in reversed(
        (
            click.option(
                "--method",
                type=click.Choice(["auto", "balanced", "density", "kmeans", "minibatch"]),
                default="auto",
                show_default=True,
                help="auto: balanced up to 10,000 pictures, minibatch above.",
            ),
            click.option("--clusters", metavar="N|auto", default="auto", show_default=True, callback=_clusters),
            click.option("--min-cluster-ratio", type=float, help="Least share of all pictures in a cluster."),
            click.option("--max-cluster-ratio", type=float, help="Largest share of all pictures in a cluster."),
            click.option("--min-cluster-size", type=int, help="Least number of pictures in a cluster."),
        )
    ):
        command = option(command)
    return command


def exporting(command: Command) -> Command:
    """Where and how to write."""
    for option in reversed(
        (
            click.option("--output", type=click.Path(path_type=Path), help="Folder to make; default ./NAME-DATE."),
            click.option(
                "--mode", type=click.Choice(["copy", "hardlink", "symlink"]), default="copy", show_default=True
            ),
            click.option("--truth", type=click.Choice(["folders"]), help="Compare with the folders pictures lie in."),
        )
    ):
        command = option(command)
    return command


def finding(command: Command) -> Command:
    """What to search for, and what becomes of what is found."""
    for option in reversed(
        (
            click.option("--like", metavar="FILE", multiple=True, type=click.Path(path_type=Path), help="A picture."),
            click.option("--cluster", metavar="N|NAME", help="Only inside this cluster; unclustered: in none."),
            click.option("--class", "in_class", metavar="NAME", help="Only inside this class; none: in none of them."),
            click.option("--most", type=click.IntRange(1, 5000), default=20, show_default=True, help="Results."),
            click.option("--save-as", metavar="NAME", help="Make a cluster of the result."),
            click.option("--output", type=click.Path(path_type=Path), help="Folder to make of the result."),
            click.option(
                "--mode", type=click.Choice(["copy", "hardlink", "symlink"]), default="copy", show_default=True
            ),
            click.option("--print0", is_flag=True, help="Print the paths alone, each ended by a zero byte."),
        )
    ):
        command = option(command)
    return command


def annotating(command: Command) -> Command:
    """Which classes, how to find them, and what to write."""
    for option in reversed(
        (
            click.option("--classes", metavar="FILE|-", help="The classes, one a line: NAME, or NAME: WORDS; WORDS."),
            click.option("--from-clusters", is_flag=True, help="The names of the last clusters are the classes."),
            click.option(
                "--method",
                type=click.Choice(["auto", "text", "refine", "graph"]),
                default="auto",
                show_default=True,
                help="auto: graph from 100 pictures on, text below.",
            ),
            click.option(
                "--prompts",
                metavar="auto|digits|signs|objects|imagenet|TEMPLATE|FILE",
                help="The sentences of a class: a set, a template with {}, or a file of those. Default: as last time.",
            ),
            click.option(
                "--threshold", type=float, help="None of the classes from this none-score on, 0 to 1; left out: never."
            ),
            click.option("--head", metavar="FILE", help="A trained head in place of the words."),
            click.option("--save-head", metavar="FILE", help="Write the head that the corrections train."),
            click.option(
                "--corrections", metavar="FILE", help="CSV (path,class) or JSON: what is known; an empty class is none."
            ),
            click.option("--review", type=click.IntRange(0), metavar="N", help="List N pictures to look at."),
            click.option("--below", type=float, metavar="P", help="Of these only such as are less sure, 0 to 1."),
            click.option("--output", type=click.Path(path_type=Path), help="Folder to make; left out: no files."),
            click.option(
                "--mode", type=click.Choice(["copy", "hardlink", "symlink"]), default="copy", show_default=True
            ),
            click.option("--splits", metavar="A/B/C", default="70/15/15", show_default=True, help="none: no splits."),
            click.option("--dry-run", is_flag=True, help="Only show the classes and their prompts."),
        )
    ):
        command = option(command)
    return command


def naming(command: Command) -> Command:
    """Who names the clusters, and with which words."""
    for option in reversed(
        (
            click.option(
                "--namer",
                type=click.Choice(["vocabulary", "openai"]),
                default="vocabulary",
                show_default=True,
                help="vocabulary: words ranked by the encoder, nothing leaves the machine. openai: a language model.",
            ),
            click.option(
                "--vocabulary",
                metavar="FILE|auto|scenes|lemmas|all|pocket",
                default="auto",
                show_default=True,
                help="A file of words, one a line; scenes: 800 plain words; lemmas: 20,000 of ImageNet.",
            ),
        )
    ):
        command = option(command)
    return command


def language(command: Command) -> Command:
    """Which language model to ask, what about, and how far to go."""
    for option in reversed(
        (
            click.option("--model", metavar="NAME", help="The language model to ask."),
            click.option(
                "--base-url", metavar="URL", help="A server that speaks the OpenAI API; its key: OPENAI_API_KEY."
            ),
            click.option("--per-cluster", type=click.IntRange(0), metavar="N", help="Pictures labelled; default 25."),
            click.option("--context", metavar="SENTENCE", help="What the model should know of the pictures."),
            click.option("--max-calls", type=click.IntRange(1), metavar="N", help="Stop after so many calls."),
            click.option(
                "--max-cost", type=click.FloatRange(0, min_open=True), metavar="USD", help="Stop at this price."
            ),
            click.option("--price-in", type=click.FloatRange(0), metavar="USD", help="Price of a million tokens in."),
            click.option("--price-out", type=click.FloatRange(0), metavar="USD", help="Price of a million tokens out."),
        )
    ):
        command = option(command)
    return command


def embedding(command: Command) -> Command:
    """What goes with the work of embedding."""
    return click.option("--live", is_flag=True, help="Form clusters while embedding, for a screen to show.")(command)


def detachable(command: Command) -> Command:
    """Whether to wait."""
    return click.option("--detach", is_flag=True, help="Leave it running and return at once.")(command)


def error(message: str) -> None:
    """A line on stderr."""
    print(message, file=sys.stderr)


def _clusters(context: click.Context, parameter: click.Parameter, value: str) -> int | None:
    if value == "auto":
        return None
    try:
        return int(value)
    except ValueError:
        raise click.BadParameter("a whole number or auto", context, parameter) from None
