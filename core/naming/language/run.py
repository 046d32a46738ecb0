"""Labels and names for the clusters of a project: what jobs call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.catalog import clusterings
from core.errors import ShoeboxError
from core.naming.language.labels import ask_labels, known_labels, words_of
from core.naming.language.names import Heard, Known, ask_names
from core.naming.language.outcomes import NoVisionError, ServerError
from core.naming.language.prompts import load_prompt
from core.naming.language.sampling import Sampled, sampled_clusters
from core.naming.language.server import Memory
from core.naming.language.session import Session, session
from core.naming.language.twins import tell_apart
from core.naming.language.watch import Watch

if TYPE_CHECKING:
    from core.catalog.clusterings import ClusteringRecord
    from core.catalog.names import Proposed
    from core.project import Project
    from core.settings import Settings

Words = Callable[[Sequence[int]], Mapping[int, Sequence[str]]]
"""The vocabulary's words for clusters, by number: what stands in for labels where a model takes no pictures."""
Twins = Callable[[Mapping[int, str]], Sequence[Sequence[int]]]
"""Groups of cluster numbers whose names mean the same."""
MOST_REASONS = 3


def _nobody(proposed: Proposed) -> None:
    pass


@dataclass
class LanguageResult:
    """What came of it. `told`: what the user should know. `stopped`: why it went no further (a bound of the user's).

    `error`: what the server did that ended it. What was answered is kept in either case.
    """

    proposals: list[Proposed] = field(default_factory=list)
    labelled: int = 0
    unlabelled: int = 0
    named: int = 0
    unnamed: int = 0
    told: list[str] = field(default_factory=list)
    stopped: str = ""
    error: ShoeboxError | None = None
    figures: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The result as data, without the proposals themselves."""
        counts = {"labelled": self.labelled, "unlabelled": self.unlabelled}
        if self.named or self.unnamed:
            counts |= {"proposed": self.named, "unnamed": self.unnamed}
        return counts | {"told": self.told, "stopped": self.stopped} | self.figures


def label_clusters(
    project: Project,
    run: ClusteringRecord,
    settings: Settings,
    environment: Mapping[str, str],
    *,
    numbers: Sequence[int] | None = None,
    watch: Watch | None = None,
) -> LanguageResult:
    """Labels samples of the clusters `numbers` (None: all) of a run; each label is kept as it comes.

    What has its label already is not asked for again. Raises ShoeboxError where the server cannot be used, or its
    model takes no pictures; CancelledError if told to stop.
    """
    with session(project, settings, environment, watch or Watch()) as s:
        clusters = _sampled(s, run, numbers)
        result = LanguageResult()
        try:
            _labels(s, clusters, result)
        except NoVisionError:
            raise ServerError(
                f"{s.server.model} at {s.server.where} takes no pictures, so it cannot label any",
                "name another with --model; shoebox name --namer openai works with this one, from the vocabulary's"
                " words",
            ) from None
        except ServerError as error:
            result.error = error
        _close(s, result)
        return result


def propose_names(
    project: Project,
    run: ClusteringRecord,
    settings: Settings,
    environment: Mapping[str, str],
    *,
    words: Words,
    twins: Twins,
    numbers: Sequence[int] | None = None,
    hints: Mapping[int, str] | None = None,
    again: bool = False,
    watch: Watch | None = None,
    heard: Heard = _nobody,
) -> LanguageResult:
    """Proposes names for the clusters `numbers` (None: all) of a run, after labelling their samples.

    `hints`: what the user says about single clusters. `again`: asks anew where an answer is known. Nothing is
    recorded but what the model answered: `proposals` are for the caller to record, also where there is an `error`
    (raise it then); `heard` is given each that was asked for the moment it comes, before names that mean the same are
    told apart. A cluster that was not come to has no proposal. Raises CancelledError if told to stop.
    """
    with session(project, settings, environment, watch or Watch()) as s:
        clusters = _sampled(s, run, numbers)
        result = LanguageResult()
        try:
            _names(s, run, clusters, result, words, twins, hints or {}, again, heard)
        except ServerError as error:
            result.error = error
        result.named = sum(p.name is not None for p in result.proposals)
        result.unnamed = len(result.proposals) - result.named
        _tell_unnamed(s, result)
        _close(s, result)
        return result


def _names(
    s: Session,
    run: ClusteringRecord,
    clusters: Sequence[Sampled],
    result: LanguageResult,
    words: Words,
    twins: Twins,
    hints: Mapping[int, str],
    again: bool,
    heard: Heard,
) -> None:
    proposed: dict[int, Proposed] = {}
    try:
        known = _ask_all(s, run, clusters, result, words, hints, proposed, again, heard)
        if result.stopped or not proposed:
            return
        prompt = load_prompt(s.project, "twins", s.settings.context)
        groups = twins({**known.names, **{number: p.name for number, p in proposed.items() if p.name}})
        result.stopped = tell_apart(s, proposed, groups, known, prompt).stopped
    finally:
        result.proposals = [proposed[c.number] for c in clusters if c.number in proposed]


def _ask_all(
    s: Session,
    run: ClusteringRecord,
    clusters: Sequence[Sampled],
    result: LanguageResult,
    words: Words,
    hints: Mapping[int, str],
    proposed: dict[int, Proposed],
    again: bool,
    heard: Heard,
) -> Known:
    """Labels and names, from pictures where the model takes them, else from the vocabulary's words."""
    prompt = load_prompt(s.project, "name", s.settings.context)
    names = {c.number: c.name for c in clusterings.clusters_of(s.db, run.id) if c.name}
    try:
        if Memory.of(s.db, s.server).vision:
            labels = _labels(s, clusters, result)
            known = Known(labels, names, hints)
            tally = ask_names(s, clusters, known, prompt, proposed, again=again, heard=heard)
            result.stopped = tally.stopped or result.stopped
            return known
    except NoVisionError:
        pass
    instead = words([c.number for c in clusters])
    took = "words of the vocabulary took the place of labels"
    s.tell(
        f"{s.server.model} at {s.server.where} takes no pictures: "
        + (took if any(instead.values()) else "and this encoder has no words to give it instead")
    )
    known = Known(instead, names, hints, vision=False)
    result.stopped = ask_names(s, clusters, known, prompt, proposed, again=again, heard=heard).stopped
    return known


def _tell_unnamed(s: Session, result: LanguageResult) -> None:
    """Says why there is no name, also of clusters that keep one they had."""
    reasons = Counter(p.reason for p in result.proposals if p.name is None and p.reason)
    for reason, count in reasons.most_common(MOST_REASONS):
        s.tell(f"no new name for {count:,} cluster{'' if count == 1 else 's'}: {reason}")


def _labels(s: Session, clusters: Sequence[Sampled], result: LanguageResult) -> dict[int, list[str]]:
    """Has the samples labelled; gives the labels by cluster, those of the nearest pictures first."""
    prompt = load_prompt(s.project, "label", s.settings.context)
    try:
        tally = ask_labels(s, clusters, prompt)
        result.stopped = tally.stopped
        for reason, count in sorted(tally.reasons.items(), key=lambda item: -item[1])[:MOST_REASONS]:
            s.tell(f"{count:,} without a label: {reason}")
    finally:
        known = known_labels(s, clusters, prompt)
        result.labelled = sum(label.label is not None for label in known.values())
        result.unlabelled = len({sample.content for c in clusters for sample in c.labelled}) - result.labelled
    return {c.number: words_of(c.labelled, known) for c in clusters}


def _sampled(s: Session, run: ClusteringRecord, numbers: Sequence[int] | None) -> list[Sampled]:
    settings = s.settings
    return sampled_clusters(s.project, s.db, run, numbers=numbers, per_cluster=settings.per_cluster, seed=settings.seed)


def _close(s: Session, result: LanguageResult) -> None:
    result.told = s.told
    result.figures = s.meter.figures()
