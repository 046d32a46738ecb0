"""Labels: words for single pictures, each shown to the model alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from core.catalog import replies
from core.catalog.replies import Label
from core.errors import PictureError
from core.naming.language import reading
from core.naming.language.outcomes import OverflowedError, UnansweredError
from core.naming.language.questions import LABEL_TOKENS, Question, Shown
from core.naming.language.watch import Tally, each

if TYPE_CHECKING:
    from core.naming.language.asking import Asker
    from core.naming.language.prompts import Prompt
    from core.naming.language.sampling import Sample, Sampled
    from core.naming.language.session import Session


def known_labels(session: Session, clusters: Sequence[Sampled], prompt: Prompt) -> dict[bytes, Label]:
    """The labels that the clusters' samples have by now from this model and prompt, by content."""
    contents = list({s.content for cluster in clusters for s in cluster.labelled})
    return replies.labels(session.db, contents, model=session.server.model, prompt=prompt.version)


def words_of(samples: Sequence[Sample], labels: Mapping[bytes, Label]) -> list[str]:
    """The labels of these pictures that are known, in their order."""
    known = [labels[s.content].label for s in samples if s.content in labels]
    return [label for label in known if label]


def ask_labels(session: Session, clusters: Sequence[Sampled], prompt: Prompt) -> Tally:
    """Labels every sample that has no label yet, and keeps each as it comes.

    Raises NoVisionError where the model takes no pictures, ServerError where it is no use to go on.
    """
    known = known_labels(session, clusters, prompt)
    samples = {s.content: s for cluster in clusters for s in cluster.labelled}
    missing = [sample for content, sample in samples.items() if content not in known]
    tally = Tally("labels", len(samples), done=len(samples) - len(missing))
    if not missing:
        return tally

    async def work(asker: Asker) -> None:
        async def one(sample: Sample) -> None:
            label = await _label(session, asker, sample, prompt)
            if label.label is None:
                tally.failed += 1
                reason = label.reason or ""
                tally.reasons[reason] = tally.reasons.get(reason, 0) + 1
            tally.done += 1

        await each(missing, one, at_once=session.settings.calls_at_once, tally=tally, watch=session.watch)

    session.run(work, tally)
    return tally


async def _label(session: Session, asker: Asker, sample: Sample, prompt: Prompt) -> Label:
    """Asks for one label, and keeps it, or the reason why there is none if asking again would not help."""
    label, reason = None, None
    keep = True
    try:
        label = await _asked(session, asker, sample, prompt)
    except UnansweredError as error:
        reason, keep = str(error), error.final
    except OverflowedError as error:
        reason = f"too much for the model: {error}"
    except PictureError as error:
        reason, keep = str(error), False
    answer = Label(label, reason, session.server.model, prompt.version)
    if keep:
        replies.put_label(session.db, sample.content, answer)
    return answer


async def _asked(session: Session, asker: Asker, sample: Sample, prompt: Prompt) -> str:
    if sample.url:
        try:
            return await asker.ask(Question(prompt, LABEL_TOKENS, picture=Shown(url=sample.url)), reading.label_of)
        except UnansweredError:
            pass  # the server may not be let in there: it gets the picture itself
    shown = Shown(jpeg=session.pictures.jpeg(sample))
    return await asker.ask(Question(prompt, LABEL_TOKENS, picture=shown), reading.label_of)
