"""Annotation: pictures to the user's own classes, by words, by their neighbours, and by what the user corrects."""
