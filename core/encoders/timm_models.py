"""Models of timm: image towers without words, by name and tag, from the hub, or from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.encoders import hub
from core.encoders.catalogue import TIMM_WEIGHTS
from core.encoders.files import beside, not_these_weights, read_config
from core.encoders.model import Model, fingerprint
from core.encoders.preprocess import Preprocessing
from core.encoders.spec import EncoderSpec, check_known
from core.errors import ShoeboxError, UsageError

CONFIG = "config.json"
_MODES = {"center": "crop", "squash": "squash", "border": "longest"}


def load(spec: EncoderSpec, *, progress: hub.Progress | None = None) -> Model:
    """Loads a model and its weights, strictly, without its classifier.

    Raises UsageError for an unknown name, ShoeboxError where files are missing or do not fit together.
    """
    import timm
    from timm.data.config import resolve_model_data_config
    from timm.data.transforms_factory import create_transform

    name, arguments, overlay = _architecture(spec)
    weights = spec.weights or _published(spec, progress)
    module = _build(name, arguments, overlay, weights)
    data: dict[str, Any] = resolve_model_data_config(module)  # type: ignore[no-untyped-call]
    preprocessing = _preprocessing(data)
    return Model(
        spec=spec,
        image_tower=module,
        text=None,
        dimension=module.num_features if not hasattr(module, "head_hidden_size") else module.head_hidden_size,
        preprocessing=preprocessing,
        transform=create_transform(**data, is_training=False),
        fingerprint=fingerprint(
            {"library": "timm", "name": timm.models.split_model_name_tag(name)[0], **arguments}, weights, preprocessing
        ),
    )


def _architecture(spec: EncoderSpec) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The model's name, arguments to build it with, and what replaces timm's knowledge of its weights."""
    import timm

    path = spec.model_config or (spec.weights and beside(spec.weights, CONFIG))
    if not path and spec.hub_repo:
        path = hub.fetch(spec.hub_repo, [CONFIG])
    config = read_config(path) if path else {}
    if path and not isinstance(config.get("architecture"), str):
        if spec.model_config or spec.hub_repo:
            raise ShoeboxError(f"{path} is no timm model configuration", "it must name its architecture")
        config = {}  # somebody else's config.json
    name = config.get("architecture") or f"{spec.architecture}{'.' + spec.tag if spec.tag else ''}"
    base, _, tag = name.partition(".")
    check_known("timm model", base, timm.list_models())
    if tag:
        check_known(f"weights of {base} tagged", tag, [n.partition(".")[2] for n in timm.list_pretrained(f"{base}.*")])
    arguments = dict(config.get("model_args") or {})
    overlay = {k: v for k, v in dict(config.get("pretrained_cfg") or {}).items() if k not in ("file", "url", "source")}
    if side := arguments.get("img_size"):
        height, width = (side, side) if isinstance(side, int) else side
        overlay["input_size"] = (3, height, width)
    return name, arguments, overlay


def _published(spec: EncoderSpec, progress: hub.Progress | None) -> Path:
    import timm

    if spec.hub_repo:
        return hub.fetch(spec.hub_repo, TIMM_WEIGHTS, progress=progress)
    cfg = timm.models.get_pretrained_cfg(f"{spec.architecture}{'.' + spec.tag if spec.tag else ''}")
    repo = cfg and cfg.hf_hub_id
    if not repo:
        raise UsageError(f"timm knows no weights of {spec}", "add a tag as in timm:MODEL.TAG, or give --weights FILE")
    return hub.fetch(repo, TIMM_WEIGHTS, progress=progress)


def _build(name: str, arguments: dict[str, Any], overlay: dict[str, Any], weights: Path) -> Any:
    """Built with the classifier that the weights have, so that they load strictly; then it is taken off."""
    import timm
    from timm.models import load_state_dict

    try:
        state = load_state_dict(str(weights), weights_only=True)
        classes = _classes(name, state)
        model: Any = timm.create_model(
            name,
            pretrained=True,
            pretrained_cfg_overlay={
                **overlay,
                **{"state_dict": state, "num_classes": classes, "label_offset": 0, "custom_load": False},
            },
            **{**arguments, "num_classes": classes},
        )
    except Exception as error:  # missing keys, other shapes, no checkpoint at all, an unsafe pickle
        raise not_these_weights(weights, name, error) from error
    model.reset_classifier(0)
    return model.eval().requires_grad_(False)


def _classes(name: str, state: dict[str, Any]) -> int:
    """How many classes the classifier in a checkpoint has, 0 for none."""
    import timm

    cfg = timm.models.get_pretrained_cfg(name, allow_unregistered=True)
    classifier = (cfg and cfg.classifier) or "head"
    first = classifier if isinstance(classifier, str) else classifier[0]
    weight = state.get(f"{first}.weight")
    return 0 if weight is None else int(weight.shape[0])


def _preprocessing(data: dict[str, Any]) -> Preprocessing:
    return Preprocessing(
        size=(data["input_size"][1], data["input_size"][2]),
        mode=_MODES.get(data["crop_mode"], "crop"),  # type: ignore[arg-type]
        interpolation=data["interpolation"],
        mean=tuple(data["mean"]),
        std=tuple(data["std"]),
        fill=tuple(round(255 * value) for value in data["mean"]),
        crop_pct=data["crop_pct"],
    )
