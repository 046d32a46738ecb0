"""Encodes texts without their padding, where that changes nothing: most words are a few tokens of a context of 77."""

from __future__ import annotations

from typing import Any

import torch


def features_of(module: Any, tokens: torch.Tensor) -> torch.Tensor:
    """What `module.encode_text` gives for tokens [N, context], computed on no more of the context than is filled.

    A tower whose attention is causal, and that is read at the end-of-text token, never looks at what comes after it
    (Radford et al., 2021, 2.4). Any other tower gets the whole context.
    """
    tower = getattr(module, "text", module)
    ends = _ends(tower, tokens)
    if ends is None:
        whole: torch.Tensor = module.encode_text(tokens)
        return whole
    length = int(ends.max()) + 1
    mask = tower.attn_mask[:length, :length]
    cast = tower.transformer.get_cast_dtype()
    x = tower.token_embedding(tokens[:, :length]).to(cast) + tower.positional_embedding[:length].to(cast)
    x = tower.ln_final(tower.transformer(x, attn_mask=mask))
    pooled: torch.Tensor = x[torch.arange(len(x), device=x.device), ends]
    projection = tower.text_projection
    if projection is not None:
        pooled = projection(pooled) if isinstance(projection, torch.nn.Linear) else pooled @ projection
    return pooled


def _ends(tower: Any, tokens: torch.Tensor) -> torch.Tensor | None:
    """Where each text ends, [N]; None for a tower that is not of that kind."""
    from open_clip.model import CLIP
    from open_clip.transformer import TextTransformer

    if type(tower) not in (CLIP, TextTransformer) or getattr(tower, "attn_mask", None) is None:
        return None
    if getattr(tower, "cls_emb", None) is not None or getattr(tower, "use_pad_mask", False):
        return None
    pool, eos = (tower.text_pool_type, "text_eos_id") if type(tower) is CLIP else (tower.pool_type, "eos_id")
    if pool == "argmax":
        return tokens.argmax(dim=-1)  # the end-of-text token has the highest number
    if pool == "eos":
        ends: torch.Tensor = (tokens == getattr(tower, eos)).int().argmax(dim=-1)
        return ends
    return None
