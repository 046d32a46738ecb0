"""The job `search`: finds pictures by words, by pictures, or both, with an encoder that stays loaded."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from core.catalog import jobs, rows
from core.catalog.encoders import EncoderRecord
from core.catalog.paths import shown
from core.encoders.spec import parse_spec
from core.errors import CancelledError, PictureError, ShoeboxError, UsageError
from core.jobs.cluster import embedded_with
from core.jobs.context import JobContext
from core.search.query import Term, parse_query

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.encoders.encoder import Encoder

REMEMBERED_SECONDS = 60.0
"""A search that ended is deleted after this: who types adds one at every key."""


def search_job(context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
    """Searches for `params["query"]` (see core.search.query), the files `params["like"]`, and `params["like_images"]`,
    pictures of the project by their ids; some of these may be empty.

    `cluster`, `class` and `most` as core.search.run takes them. Searches of one `session` give way to the newest that
    waits. With `export` ({output, working_directory, mode}) what was found is written into a new folder as well, with
    a list of it. Gives
    `images`, for each result the ids of its pictures (copies of each other), and `scores` beside them.
    """
    from core.search.run import Wanted, of_pictures, of_words, search

    began = time.monotonic()
    with context.project.database() as db:
        jobs.forget(db, "search", seconds=REMEMBERED_SECONDS)

        def give_way() -> None:
            context.checkpoint()
            if (session := params.get("session")) and jobs.newer_waits(db, "search", session):
                raise CancelledError("a newer search took its place")

        give_way()
        record = embedded_with(context)
        terms = parse_query(params["query"]) if params.get("query") else []
        like = params.get("like") or []
        own = params.get("like_images") or []
        if not terms and not like and not own:
            raise UsageError("there is nothing to look for", "give some words, or a picture with --like FILE")
        wanted = Wanted(
            words=of_words(terms, _words(context, record, terms)) if terms else None,
            pictures=of_pictures(_pictures(context, record, like, own)) if like or own else None,
        )
        most = params.get("most", 100)
        inside = {"cluster": params.get("cluster"), "class_name": params.get("class")}
        found = search(context.project, record, wanted, **inside, most=most, checkpoint=give_way)
    result: dict[str, Any] = {
        "query": params.get("query") or "",
        "terms": [{"text": term.text, "weight": term.weight} for term in terms],
        "like": [shown(os.fsencode(file)) for file in like],
        "cluster": params.get("cluster"),
        "class": params.get("class"),
        "encoder": record.label,
        "scale": found.scale,
        "searched": found.searched,
        "seconds": round(time.monotonic() - began, 4),
        "images": [hit.images for hit in found.hits],
        "scores": [round(hit.score, 5) for hit in found.hits],
    }
    return result | (_export(context, result, params["export"]) if params.get("export") else {})


def _words(context: JobContext, record: EncoderRecord, terms: list[Term]) -> NDArray[np.float32]:
    """The vectors [n, D] of the prompts."""
    import numpy as np

    if parse_spec(record.spec, **record.options).library == "timm":
        raise _knows_no_words(record)
    encoder = _encoder(context, record, words=True)
    if not encoder.has_text:
        raise _knows_no_words(record)
    return np.stack([_prompt(context, encoder, term.text) for term in terms])


def _prompt(context: JobContext, encoder: Encoder, text: str) -> NDArray[np.float32]:
    def encoded() -> NDArray[np.float32]:
        vector: NDArray[np.float32] = encoder.encode_texts([text])[0]
        return vector

    return context.models.remembered(encoder.fingerprint, text, encoded)


def _pictures(context: JobContext, record: EncoderRecord, files: list[str], own: list[int]) -> NDArray[np.float32]:
    """The vectors [n, D] of picture files, and of pictures of the project."""
    import numpy as np

    return np.stack([*(_picture(context, record, file) for file in files), *_own(context, record, own)])


def _own(context: JobContext, record: EncoderRecord, image_ids: list[int]) -> list[NDArray[np.float32]]:
    """The vectors of pictures of the project. Their files are not read: they may be on a disk that is away."""
    import numpy as np

    with context.project.database() as db:
        found = [rows.row_of_image(db, record.id, image) for image in image_ids]
    if None in found:
        raise ShoeboxError("this picture is not embedded", "shoebox embed does that")
    vectors = context.project.vector_file(record).read(record.rows)
    return [np.array(vectors[row], np.float32) for row in found]


def _picture(context: JobContext, record: EncoderRecord, file: str) -> NDArray[np.float32]:
    import numpy as np

    from core.imaging.hashes import content_hash
    from core.imaging.read import read_picture_file

    def encoded() -> NDArray[np.float32]:
        from core.imaging.decode import decode

        encoder = _encoder(context, record)
        cut = encoder.preprocessing
        picture = decode(data, min_side=cut.decode_min_side, max_pixels=context.settings.max_pixels)
        pixels = cut.prepare(picture.image, (picture.width, picture.height))
        vector: NDArray[np.float32] = encoder.encode_images(pixels[None])[0]
        return vector

    try:
        data = read_picture_file(os.fsencode(file), context.settings.max_file_mb * 1_000_000)
        content = content_hash(data)
        with context.project.database() as db:
            row = rows.row_of(db, record.id, content)
        if row is not None:
            return np.array(context.project.vector_file(record).read(record.rows)[row], np.float32)
        return context.models.remembered(record.fingerprint, content, encoded)
    except PictureError as error:
        raise ShoeboxError(f"cannot search by {shown(os.fsencode(file))}: {error.what}", error.todo) from error


def _encoder(context: JobContext, record: EncoderRecord, *, words: bool = False) -> Encoder:
    """The encoder that the project was embedded with, loaded."""
    spec = parse_spec(record.spec, **record.options)
    if not context.models.has(spec, context.settings.device):
        context.say("loading", f"loading {spec.label}")
    encoder = context.encoders(spec, words=words)[0]
    if encoder.fingerprint != record.fingerprint:
        raise ShoeboxError(
            f"the weights of {record.label} are not those that the pictures were embedded with",
            "shoebox embed does it again with these",
        )
    return encoder


def _knows_no_words(record: EncoderRecord) -> ShoeboxError:
    return ShoeboxError(
        f"{record.label} knows pictures alone, no words",
        "search by a picture with --like FILE, or embed with an encoder that knows words: shoebox encoders",
    )


def _export(context: JobContext, result: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    from core.export.pictures import export_pictures

    def progress(done: int, total: int) -> None:
        context.progress({"stage": "exporting", "message": "placing pictures", "done": done, "total": total})

    return export_pictures(
        context.project,
        [images[0] for images in result["images"]],
        output=asked.get("output"),
        working_directory=asked["working_directory"],
        mode=asked.get("mode", "copy"),
        name="search",
        found={name: value for name, value in result.items() if name not in ("images", "scores")},
        scores=result["scores"],
        progress=progress,
        checkpoint=context.checkpoint,
    )
