"""A short list of encoders to choose from. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.encoders import hub
from core.encoders.spec import DEFAULT_SPEC

OPEN_CLIP_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""What open_clip calls weights on the hub, best first."""

TIMM_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""What timm calls weights on the hub, best first."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An encoder worth choosing, with what its authors publish.

    `accuracy` is top-1 on ImageNet in percent: by its own text (`zero-shot`) or by neighbours (`k-NN`); None
    where nothing comparable is published. `speed` is for a CPU. `repo` is where the weights come from.
    """

    spec: str
    dimension: int
    side: int
    parameters: float
    """Millions, all towers."""
    speed: Literal["very fast", "fast", "medium", "slow"]
    text: bool
    licence: str
    repo: str | None
    accuracy: float | None = None
    measure: Literal["zero-shot", "k-NN", ""] = ""
    remark: str = ""

    @property
    def megabytes(self) -> int:
        """Size of the weights: in float32, but for pocket's, which come in float16."""
        return round(self.parameters * (4 if self.repo else 2))

    @property
    def cached(self) -> bool:
        """Whether the weights lie on this machine. Asks no network."""
        if self.repo is None:
            return True
        names = TIMM_WEIGHTS if self.spec.startswith("timm:") else OPEN_CLIP_WEIGHTS
        return hub.cached(self.repo, names) is not None


# Accuracies: open_clip's docs/openclip_results.csv; the SigLIP 2, MobileCLIP2 and DINOv2 tables. Sizes: counted.
CHOICES: tuple[Choice, ...] = (
    Choice(
        DEFAULT_SPEC,
        accuracy=69.2,
        measure="zero-shot",
        dimension=512,
        side=224,
        parameters=151.3,
        speed="fast",
        text=True,
        licence="MIT",
        repo="laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
        remark="the default",
    ),
    Choice(
        "open_clip:MobileCLIP2-S0/dfndr2b",
        accuracy=71.5,
        measure="zero-shot",
        dimension=512,
        side=256,
        parameters=74.8,
        speed="fast",
        text=True,
        licence="Apple ML research",
        repo="timm/MobileCLIP2-S0-OpenCLIP",
        remark="small, for machines without a GPU",
    ),
    Choice(
        "open_clip:MobileCLIP2-S2/dfndr2b",
        accuracy=77.2,
        measure="zero-shot",
        dimension=512,
        side=256,
        parameters=99.2,
        speed="medium",
        text=True,
        licence="Apple ML research",
        repo="timm/MobileCLIP2-S2-OpenCLIP",
    ),
    Choice(
        "open_clip:ViT-B-16/datacomp_xl_s13b_b90k",
        accuracy=73.5,
        measure="zero-shot",
        dimension=512,
        side=224,
        parameters=149.6,
        speed="medium",
        text=True,
        licence="MIT",
        repo="laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
    ),
    Choice(
        "open_clip:ViT-B-16-SigLIP2/webli",
        accuracy=78.2,
        measure="zero-shot",
        dimension=768,
        side=224,
        parameters=375.2,
        speed="medium",
        text=True,
        licence="Apache-2.0",
        repo="timm/ViT-B-16-SigLIP2",
        remark="many languages; its words need the transformers package",
    ),
    Choice(
        "open_clip:ViT-L-14/datacomp_xl_s13b_b90k",
        accuracy=79.2,
        measure="zero-shot",
        dimension=768,
        side=224,
        parameters=427.6,
        speed="slow",
        text=True,
        licence="MIT",
        repo="laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
        remark="for a GPU",
    ),
    Choice(
        "open_clip:ViT-SO400M-16-SigLIP2-256/webli",
        accuracy=83.4,
        measure="zero-shot",
        dimension=1152,
        side=256,
        parameters=1135.7,
        speed="slow",
        text=True,
        licence="Apache-2.0",
        repo="timm/ViT-SO400M-16-SigLIP2-256",
        remark="for a GPU; its words need the transformers package",
    ),
    Choice(
        "timm:vit_small_patch14_dinov2.lvd142m",
        accuracy=79.0,
        measure="k-NN",
        dimension=384,
        side=518,
        parameters=22.1,
        speed="slow",
        text=False,
        licence="Apache-2.0",
        repo="timm/vit_small_patch14_dinov2.lvd142m",
        remark="groups by look, large pictures",
    ),
    Choice(
        "timm:vit_base_patch16_224.augreg_in21k",
        dimension=768,
        side=224,
        parameters=85.8,
        speed="medium",
        text=False,
        licence="Apache-2.0",
        repo="timm/vit_base_patch16_224.augreg_in21k",
        remark="trained on 21,843 classes",
    ),
    Choice(
        "pocket",
        dimension=128,
        side=64,
        parameters=3.75,
        speed="very fast",
        text=True,
        licence="MIT",
        repo=None,
        remark="bundled; a toy for drawings, not for photographs",
    ),
)
