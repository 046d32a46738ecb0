"""Clusters against the folders that the pictures already lie in (`--truth folders`)."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from core.clustering.truth import agreement
from core.clustering.vectors import UNCLUSTERED
from core.errors import ShoeboxError
from core.export.contents import Contents
from core.export.document import finite


def folder_agreement(contents: Contents) -> dict[str, Any]:
    """Purity, ARI, NMI and AMI of the clusters against the pictures' folders, and what they are of.

    A picture's class is the folder that it lies in, by its whole path below the source. Nothing is guessed about
    what a folder's name means: `train/cat` and `val/cat` are two classes. Pictures directly in the source have
    none and are left out (`without_folder`). Raises ShoeboxError where no picture lies in a folder.
    """
    folders: dict[tuple[int, bytes], str] = {}  # to short keys: a million long paths would fill the memory
    classes: list[str] = []
    labels: list[int] = []
    total = 0
    parts = [(group.number, group.members) for group in contents.groups] + [(UNCLUSTERED, contents.unclustered)]
    for number, members in parts:
        for member in members:
            total += 1
            if folder := os.path.dirname(member.path):
                key = (contents.source_of(member), folder)
                classes.append(folders.setdefault(key, str(len(folders))))
                labels.append(number)
    if not classes:
        raise ShoeboxError(
            "no picture lies in a folder of its own class: all are directly in the source",
            "leave --truth out, or sort the pictures into folders by class",
        )
    found = agreement(classes, np.array(labels, dtype=np.int32))
    return {
        "purity": finite(found.purity),
        "ari": finite(found.ari),
        "nmi": finite(found.nmi),
        "ami": finite(found.ami),
        "classes": found.classes,
        "pictures": len(classes),
        "without_folder": total - len(classes),
    }
