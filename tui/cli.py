"""The `shoebox` command: the terminal app, and every stage without a screen."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import click

from tui import options


class _Commands(click.Group):
    """Lists the commands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            if not _is_place(args[0]):
                ctx.fail(f"there is no command and no folder called {args[0]}")
            args = ["open", *args]
        return super().resolve_command(ctx, args)


def _is_place(text: str) -> bool:
    """Whether a word is a place of pictures, and not a command mistyped."""
    from core.sources.places import LIST_SUFFIX, names_remote

    named = "/" in text or text in (".", "..", "~") or text.endswith(LIST_SUFFIX)
    return named or Path(text).exists() or names_remote(text)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    subcommand_metavar="[PATH] | COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="shoebox")
@options.screen
@click.pass_context
def shoebox(context: click.Context, project: Path | None, graphics: str) -> None:
    """Sorts a pile of unlabelled pictures into named groups.

    shoebox PATH opens the terminal app on a folder of pictures; without PATH, on the last project. The project is
    kept in PATH/.shoebox; no picture is ever changed. Behind PATH the app takes --encoder, --weights,
    --model-config, --device and --seed, too. The commands do the same without a screen.
    """
    from tui.launch import interactive, open_app

    if context.invoked_subcommand is not None:
        context.obj = {"project": project, "graphics": graphics}
    elif interactive() or project is not None:
        open_app(None, project, graphics=graphics)
    else:
        print(context.get_help())


@shoebox.command("open", hidden=True)
@click.argument("path", required=False)
@options.screen
@options.encoder
@click.pass_obj
def open_(given: dict[str, Any], /, path: str | None, project: Path | None, graphics: str, **encoder: Any) -> None:
    """Open the terminal app: what `shoebox PATH` does."""
    from tui.launch import open_app

    graphics = graphics if graphics != "auto" else given["graphics"]
    open_app(path, project or given["project"], graphics=graphics, given=options.settings_of(encoder))


@shoebox.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), help="Folder to write; default ./NAME-DATE.")
@click.option("--seed", type=int, default=0, help="Other pictures.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("--yes", is_flag=True, help="Answer yes to what would be asked.")
@click.pass_obj
def demo(
    given: dict[str, Any], folder: Path | None, output: Path | None, seed: int, as_json: bool, quiet: bool, yes: bool
) -> None:
    """Draw a small pile of pictures and open the app on it; without a terminal, sort it. No download, no key."""
    from core.demo import draw_pile
    from tui.launch import interactive, open_app
    from tui.stages import Request, run_stages

    folder = folder or Path("shoebox-demo")
    draw_pile(folder, seed=seed)
    if interactive() and not (as_json or quiet or output):
        open_app(str(folder), graphics=given["graphics"], sort={"encoder": "pocket", "seed": seed})
        return
    request = Request(path=folder, as_json=as_json, quiet=quiet, settings={"encoder": "pocket", "seed": seed})
    run_stages(
        request,
        ("embed", "cluster", "name", "export"),
        clustering={},
        naming={},
        export={"output": output, "mode": "copy"},
    )


@shoebox.command()
@options.common
@options.clustering
@options.exporting
@options.naming
@options.language
@click.option(
    "--stages", metavar="STAGE,...", default="embed,cluster,name,export", show_default=True, help="Only these."
)
@options.embedding
@options.source
@options.detachable
def run(stages: str, **given: Any) -> None:
    """Embed, cluster, name and export in one go."""
    from tui.stages import Request, clustering_of, export_of, naming_of, run_stages, stages_of

    run_stages(
        Request.of(given),
        stages_of(stages),
        clustering=clustering_of(given),
        naming=naming_of(given),
        export=export_of(given),
    )


@shoebox.command()
@options.common
@options.embedding
@options.source
@options.detachable
def embed(**given: Any) -> None:
    """Embed what is new or changed."""
    from tui.stages import Request, run_embed

    run_embed(Request.of(given))


@shoebox.command()
@options.common
@options.source
@options.detachable
def download(**given: Any) -> None:
    """Download what a list, a subreddit or a bucket has; embed does so, too."""
    from tui.stages import Request, run_download

    run_download(Request.of(given))


@shoebox.command()
@options.common
@options.clustering
@options.source
@options.detachable
def cluster(**given: Any) -> None:
    """Group what is embedded; numbers and names carry over from the last run."""
    from tui.stages import Request, clustering_of, run_cluster

    run_cluster(Request.of(given), clustering_of(given))


@shoebox.command()
@options.common_of_several
@click.argument("names", nargs=-1, metavar="[CLASS]...")
@options.annotating
@options.detachable
def annotate(**given: Any) -> None:
    """Sort the pictures into your own classes, by their names.

    Without CLASS the classes of the last time. Corrections are kept, and the next run learns from them. With --output
    DIR there is a folder for each class, splits to train on, metadata.json and report.txt.
    """
    from tui.annotate import run_annotate

    run_annotate(given)


@shoebox.command()
@click.argument("path", type=options.Place(path_type=Path))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--project", type=click.Path(path_type=Path), help="The project is kept in this folder.")
@click.option("--class", "class_", metavar="NAME", help="Say that FILES are of this class; none: of none of them.")
@click.option("--forget", is_flag=True, help="Take back what was said of FILES.")
@click.option("--undo", is_flag=True, help="Take back the last edit: corrections, or the run that learned from them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def corrections(
    path: Path,
    files: tuple[Path, ...],
    project: Path | None,
    class_: str | None,
    forget: bool,
    undo: bool,
    as_json: bool,
) -> None:
    """List what you said of pictures (of FILES alone, where any are named), or say it, or take it back.

    The next shoebox annotate learns from it. What --json prints is a file for annotate --corrections.
    """
    from tui.corrections import run_corrections
    from tui.stages import Request

    request = Request(path=path, project=project, as_json=as_json)
    run_corrections(request, files, class_=class_, forget=forget, undo=undo)


@shoebox.command()
@options.common
@options.language
@click.option("--clusters", "numbers", metavar="N,...", help="Only these clusters, by number or name.")
@click.option("--retry", is_flag=True, help="Ask again for pictures whose label failed.")
@options.detachable
def label(numbers: str | None, retry: bool, **given: Any) -> None:
    """Have a language model label samples of each cluster.

    Each picture is sent alone and small. What is asked for once is kept: a run that was cut goes on where it was,
    and a second one costs nothing.
    """
    from tui.stages import Request, run_label

    run_label(Request.of(given), numbers, retry=retry)


@shoebox.command()
@options.common
@options.naming
@options.language
@click.option("--clusters", "numbers", metavar="N,...", help="Only these clusters, by number or name.")
@click.option("--hint", metavar="SENTENCE", help="What the model should know of the clusters named by --clusters.")
@click.option("--again", is_flag=True, help="Ask the model anew; of a vocabulary, take the next best words.")
@options.detachable
def name(**given: Any) -> None:
    """Name the clusters, and measure every name; names you typed or accepted stay."""
    from tui.stages import Request, naming_of, run_name

    run_name(Request.of(given), naming_of(given))


@shoebox.command()
@options.common
@click.argument("query", required=False, default="")
@options.finding
def search(query: str, **given: Any) -> None:
    """Find pictures by words, by pictures (--like), or both.

    QUERY is a caption, "a red car at night", or several with weights, "cat:1.0 -dog:0.5": a minus leads away, quotes
    hold a phrase together. One that begins with a minus comes after --: shoebox search PATH -- "-dog".
    """
    from tui.search import run_search
    from tui.stages import Request

    run_search(Request.of(given), query, given)


@shoebox.command()
@options.common
@click.option("--threshold", type=click.FloatRange(0.8, 1), default=0.97, show_default=True, help="Least cosine.")
@click.option(
    "--keep",
    metavar="RULE,...",
    default="area,file,path",
    show_default=True,
    help="Keep the one with the most pixels, then the biggest file, then the first path; also oldest, newest.",
)
@click.option("--trash", is_flag=True, help="Put the rest into the trash: one edit, which undo takes back.")
def twins(threshold: float, keep: str, trash: bool, **given: Any) -> None:
    """Find pictures so alike that one of each group is enough; no file is touched.

    In a group every picture is as near to every other as --threshold says; copies are found in any case.
    """
    from tui.search import run_twins
    from tui.stages import Request

    run_twins(Request.of(given), threshold=threshold, keep=keep, trash=trash)


@shoebox.command()
@options.common
@options.exporting
@click.option("--clusters", "numbers", metavar="N,...", help="Only these clusters, by number or name.")
@click.option("--run", type=int, metavar="N", help="An earlier clustering, by its number in shoebox info.")
@click.option("--what", type=click.Choice(["all", "previews", "embeddings"]), default="all", show_default=True)
@click.option("--unclustered", is_flag=True, help="A folder for the unclustered, too.")
@click.option("--print0", is_flag=True, help="Write nothing: print the paths, each ended by a zero byte.")
def export(**given: Any) -> None:
    """Write the clusters: folders, JSON, HTML, CSV and Parquet, in a new dated folder."""
    from tui.stages import Request, export_of, run_export

    run_export(Request.of(given), export_of(given), print0=given["print0"])


@shoebox.command()
@options.common
@click.option("--failed", is_flag=True, help="List what failed, and why.")
def info(failed: bool, **given: Any) -> None:
    """Tell what a project holds."""
    from tui.inform import show_info
    from tui.stages import Request

    show_info(Request.of(given), failed=failed)


@shoebox.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def encoders(as_json: bool) -> None:
    """List encoders to choose from."""
    from tui.inform import show_encoders

    show_encoders(as_json=as_json)


@shoebox.command()
@options.common
def stop(**given: Any) -> None:
    """Stop the project's worker, and what it does."""
    from core.jobs.client import Client
    from tui.report import print_json
    from tui.stages import Request

    request = Request.of(given)
    with Client(request.open_existing()) as client:
        stopped = client.stop_worker()
    if request.as_json:
        print_json({"stopped": stopped})
    else:
        options.error("stopped; everything embedded so far is kept" if stopped else "no worker was running")


@shoebox.command()
@click.argument("path", type=options.Place(path_type=Path))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--project", type=click.Path(path_type=Path), help="The project is kept in this folder.")
@click.option("--restore", is_flag=True, help="Take them out of the trash.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def trash(path: Path, files: tuple[Path, ...], project: Path | None, restore: bool, as_json: bool) -> None:
    """Leave FILES out of every clustering, until restored; no file is touched."""
    from tui.stages import Request, run_trash

    run_trash(Request(path=path, project=project, as_json=as_json), files, restore=restore)


@shoebox.command()
@options.screen
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def doctor(project: Path | None, graphics: str, as_json: bool) -> None:
    """Tell what works here: terminal, pictures, colours, devices, weights, and what to do for more."""
    from tui import doctor
    from tui.graphics.probe import probe
    from tui.report import print_json

    terminal = probe(graphics, fresh=True)
    findings = doctor.examine(terminal)
    if as_json:
        print_json(doctor.document(terminal, findings))
    else:
        print(doctor.text(findings, shutil.get_terminal_size().columns if sys.stdout.isatty() else 0))
