"""What it will take, before anything is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from core.catalog import replies
from core.catalog.names import names_of
from core.naming.language.labels import words_of
from core.naming.language.names import Known, name_key_of
from core.naming.language.prices import AS_OF, picture_tokens, price_of
from core.naming.language.prompts import load_prompt
from core.naming.language.questions import LABEL_TOKENS, NAME_TOKENS, tokens_of
from core.naming.language.sampling import sampled_clusters
from core.naming.language.server import Memory, server_of
from core.naming.run import choose

if TYPE_CHECKING:
    from core.catalog.clusterings import ClusteringRecord
    from core.project import Project
    from core.settings import Settings

LABEL_INPUT_TOKENS = 12
"""About what a label takes when it is sent on to name its cluster."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """About what labelling, and naming, clusters will take. `cost` in US dollars; None where no price is known."""

    clusters: int
    pictures: int
    known: int
    """Answers that are here already and cost nothing."""
    calls: int
    input_tokens: int
    output_tokens: int
    cost: float | None
    model: str
    where: str
    price_from: str
    """Where the price comes from: settings, a dated table, or nowhere."""
    stage: str = "label"

    def as_dict(self) -> dict[str, Any]:
        """The estimate as data."""
        return asdict(self)

    def said(self) -> str:
        """The estimate in words."""
        if not self.calls and not self.known:
            return f"{self.model} at {self.where}: there is nothing to ask"
        if not self.calls:
            asked = "nothing is asked" + (
                "" if self.stage == "label" else " but how to tell apart names that mean the same"
            )
            return f"{self.model} at {self.where}: all {self.known:,} answers are here already, {asked}"
        price = (
            f"about ${self.cost:.{2 if self.cost >= 0.01 else 4}f} ({self.price_from})"
            if self.cost is not None
            else "price not known: say it with --price-in and --price-out"
        )
        known = f", {self.known:,} answers are here already" if self.known else ""
        return (
            f"{self.model} at {self.where}: about {_count(self.calls, 'call')} for {_count(self.clusters, 'cluster')}, "
            f"{self.input_tokens:,} tokens in and {self.output_tokens:,} out, {price}{known}"
        )


def estimate(
    project: Project,
    run: ClusteringRecord,
    settings: Settings,
    environment: Mapping[str, str],
    *,
    stage: Literal["label", "name"],
    numbers: Sequence[int] | None = None,
    again: bool = False,
    hints: Mapping[int, str] | None = None,
) -> Estimate:
    """About what a stage will take: labels alone, or labels and names. Retries and the pass over twins come on top.

    Without `numbers` all are labelled, and those named whose name is not the user's.

    Asks no server. Raises what `server_of` and `sampled_clusters` raise.
    """
    server = server_of(settings, environment)
    model = server.model
    with project.database() as db:
        if stage == "name" and numbers is None:
            numbers = [cluster.number for cluster in choose(names_of(db, run.id), None)]
        clusters = sampled_clusters(
            project, db, run, numbers=numbers, per_cluster=settings.per_cluster, seed=settings.seed
        )
        vision = Memory.of(db, server).vision
        label_prompt = load_prompt(project, "label", settings.context)
        contents = list({s.content for c in clusters for s in c.labelled}) if vision else []
        labels = replies.labels(db, contents, model=model, prompt=label_prompt.version)
        to_label = len(contents) - len(labels)
        known, calls = len(labels), to_label
        tokens_in = to_label * (tokens_of(label_prompt.text) + picture_tokens(model, sheet=False) + 30)
        tokens_out = to_label * LABEL_TOKENS
        if stage == "name":
            prompt = load_prompt(project, "name", settings.context)
            material = Known({c.number: words_of(c.labelled, labels) for c in clusters}, {}, hints or {}, vision)
            answered = sum(
                vision and not again and replies.reply(db, name_key_of(model, c, material, prompt)) is not None
                for c in clusters
            )
            to_name = len(clusters) - answered
            known, calls = known + answered, calls + to_name
            sheet = picture_tokens(model, sheet=True) if vision else 0
            tokens_in += to_name * (
                tokens_of(prompt.text) + sheet + LABEL_INPUT_TOKENS * (settings.per_cluster + 15) + 60
            )
            tokens_out += to_name * NAME_TOKENS
    price = price_of(model, settings)
    return Estimate(
        clusters=len(clusters),
        pictures=len(contents),
        known=known,
        calls=calls,
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        cost=None if price is None else round(price.of(tokens_in, tokens_out), 4),
        model=model,
        where=server.where,
        price_from=_price_from(settings, price is not None),
        stage=stage,
    )


def _price_from(settings: Settings, known: bool) -> str:
    if settings.price_in or settings.price_out:
        return "at the price you gave"
    return f"at list prices of {AS_OF}" if known else ""


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
