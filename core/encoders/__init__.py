"""Encoders: pictures and words to unit vectors, by open_clip, timm, or the bundled pocket model.

    spec -> model (open_clip | timm) -> fidelity: how far to go for speed -> Encoder, one a device

`spec`, `catalogue` and `hub` are cheap to import; the others load torch.
"""
