"""Names the clusters of a project by a vocabulary: reads it, ranks the words, records what came of it, measures it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.catalog import names
from core.catalog.names import Proposed
from core.errors import UsageError
from core.naming.measure import held_out, measure_names, no_tick
from core.naming.pile import Pile, read_pile
from core.naming.quality import fit
from core.naming.rank import considered, runners_up, scores, share_out, weigh
from core.naming.words import PROMPTS, Vocabulary

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.catalog.encoders import EncoderRecord
    from core.catalog.names import ClusterName
    from core.clustering.vectors import Floats
    from core.naming.texts import Texts, Tick
    from core.project import Project

ALTERNATIVES = 2
PICTURES = 6000
"""Pictures that words are chosen by, in all."""
EACH = (4, 60)
"""Of one cluster, at least and at most."""
SHARE = 0.5
"""Of a cluster at most: the rest is for measuring."""


@dataclass(frozen=True, slots=True)
class Named:
    """What came of naming: how many clusters got a name, kept the user's, have none; for which no word was left."""

    named: int
    kept: int
    unnamed: int
    vocabulary: str
    wordless: list[int]


def name_by_vocabulary(
    project: Project,
    db: Database,
    clustering: int,
    record: EncoderRecord,
    texts: Texts,
    vocabulary: Vocabulary,
    *,
    numbers: Sequence[int] | None = None,
    again: bool = False,
    seed: int = 0,
    tick: Tick = no_tick,
) -> Named:
    """Names the clusters `numbers` (None: all whose name is not the user's) by the words that set them apart.

    Each word is given once, ranked by what the pictures choose and by how well it then measures on others (see
    `rank.weigh`); with `again` no cluster gets one that was proposed for it before, but the next best.
    Clusters asked for by number whose name is the user's keep it, and get the words as alternatives. Raises UsageError
    for a number there is not, ShoeboxError where the encoder has no text.
    """
    found = names.names_of(db, clustering)
    chosen = choose(found, numbers)
    pile = read_pile(project, db, clustering, record)
    chosen = [n for n in chosen if n.number in set(pile.numbers)]
    place = {number: row for row, number in enumerate(pile.numbers)}
    rows = np.array([place[n.number] for n in chosen], dtype=np.int64)
    vectors = texts.encode(vocabulary.words, tick)
    drawn, worth = scored(pile, vectors, seed, tick)
    free, mine = _free_words(vocabulary.words, worth[rows], found, chosen)
    words = [vocabulary.words[index] for index in free]
    if again:
        _pass_over(db, clustering, chosen, words, mine)
    learnt = drawn[np.isin(pile.labels[drawn], rows)]
    anew = {n.number for n in chosen}
    before = [n.proposal for n in found if n.number not in anew and n.proposal is not None]
    held = held_out(pile, [*pile.image_ids[learnt].tolist(), *(image for p in before for image in p.shown)], seed)
    taken, others = dealt(pile, held, rows, mine, vectors[free], tick)
    proposals = []
    for row, (cluster, column) in enumerate(zip(chosen, taken.tolist(), strict=True)):
        of_it = drawn[pile.labels[drawn] == rows[row]]
        proposals.append(
            Proposed(
                cluster=cluster.number,
                name=words[column] if column >= 0 else None,
                alternatives=[words[other] for other in others[row]],
                reason=None if column >= 0 else f"the vocabulary {vocabulary.name} has no word left for it",
                shown=pile.image_ids[of_it].tolist(),
                model=vocabulary.name,
                prompt=PROMPTS,
            )
        )
    said = f"named {len(chosen)} clusters by the vocabulary {vocabulary.name}"
    names.record(db, clustering, "vocabulary", proposals, said=said)
    measure_names(project, db, clustering, record, texts, seed=seed, tick=tick)
    after = names.names_of(db, clustering)
    kept = sum(1 for n in after if n.is_users)
    without = sum(1 for n in after if not n.name)
    wordless = [proposal.cluster for proposal in proposals if proposal.name is None]
    return Named(len(after) - kept - without, kept, without, vocabulary.name, wordless)


def best_words(
    project: Project,
    db: Database,
    clustering: int,
    record: EncoderRecord,
    texts: Texts,
    vocabulary: Vocabulary,
    numbers: Sequence[int],
    count: int,
    *,
    seed: int = 0,
    tick: Tick = no_tick,
) -> Mapping[int, list[str]]:
    """The `count` words that fit each of the clusters best, whether they fit others as well or not."""
    pile = read_pile(project, db, clustering, record)
    _, worth = scored(pile, texts.encode(vocabulary.words, tick), seed, tick)
    rows = {number: worth[pile.numbers.index(number)] for number in numbers if number in pile.numbers}
    return {n: [vocabulary.words[i] for i in np.argsort(-row, kind="stable")[:count]] for n, row in rows.items()}


def choose(found: Sequence[ClusterName], numbers: Sequence[int] | None) -> list[ClusterName]:
    """The clusters to name: those asked for, or all whose name is not the user's. Raises UsageError."""
    if numbers is None:
        return [n for n in found if not n.is_users]
    there = {n.number: n for n in found}
    unknown = sorted(set(numbers) - set(there))
    if unknown:
        known = ", ".join(map(str, sorted(there)[:50]))
        raise UsageError(f"there is no cluster {', '.join(map(str, unknown))}", f"there are: {known}")
    return [there[number] for number in dict.fromkeys(numbers)]


def scored(pile: Pile, texts: Floats, seed: int = 0, tick: Tick = no_tick) -> tuple[NDArray[np.int64], Floats]:
    """The places of the pictures that words are chosen by, and the scores [K, W] of the words of `texts` [W, D]."""
    least, most = EACH
    each = min(most, max(least, PICTURES // len(pile.numbers)))
    drawn = pile.draw(each, seed, share=SHARE)
    worth = scores(
        pile.vectors(drawn),
        pile.labels[drawn],
        len(pile.numbers),
        texts,
        tick=lambda share: tick("choosing words", share),
    )
    return drawn, worth


def dealt(
    pile: Pile, held: NDArray[np.int64], rows: NDArray[np.int64], found: Floats, texts: Floats, tick: Tick = no_tick
) -> tuple[NDArray[np.int64], list[list[int]]]:
    """A word for each of the clusters `rows` of a pile, none twice, and those that could be taken instead.

    `found` [len(rows), W] are the words' scores and `texts` [W, D] their vectors; the best are measured on the pictures
    at `held`. -1 where no word is left.
    """
    lists = considered(found, ALTERNATIVES)
    pairs = [(row, word) for row, some in enumerate(lists) for word in some]
    figures = np.full(found.shape, np.nan, dtype=np.float32)
    if pairs:
        at, words = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
        seen, labels = pile.vectors(held), pile.labels[held]
        measured = fit(
            seen,
            labels,
            len(pile.numbers),
            texts[words],
            rows[at],
            tick=lambda share: tick("measuring words", share),
        )
        figures[at, words] = measured.figure
    worth = weigh(found, figures)
    taken = share_out(worth)
    return taken, runners_up(worth, taken, ALTERNATIVES)


def _pass_over(
    db: Database, clustering: int, chosen: Sequence[ClusterName], words: Sequence[str], mine: Floats
) -> None:
    """Makes impossible, for each cluster, the words that were proposed for it before."""
    for row, cluster in enumerate(chosen):
        before = names.proposed_before(db, clustering, cluster.number, "vocabulary")
        mine[row, [index for index, word in enumerate(words) if word.casefold() in before]] = -np.inf


def _free_words(
    words: Sequence[str], worth: Floats, found: Sequence[ClusterName], chosen: Sequence[ClusterName]
) -> tuple[list[int], Floats]:
    """The places of the words that no cluster has which keeps its name, and their scores."""
    named_anew = {n.number for n in chosen if not n.is_users}
    taken = {n.name.casefold() for n in found if n.name and n.number not in named_anew}
    free = [index for index, word in enumerate(words) if word.casefold() not in taken]
    return free, worth[:, free]
