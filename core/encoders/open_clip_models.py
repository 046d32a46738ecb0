"""Models of open_clip: by name and tag, from the hub, or from files. The bundled pocket model is one of them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.encoders import hub
from core.encoders.catalogue import OPEN_CLIP_WEIGHTS
from core.encoders.files import beside, not_these_weights, read_config
from core.encoders.model import Model, TextTower, fingerprint
from core.encoders.preprocess import Preprocessing
from core.encoders.spec import EncoderSpec, check_known
from core.errors import ShoeboxError, UsageError

if TYPE_CHECKING:
    import torch

CONFIG = "open_clip_config.json"
_MODES = {"shortest": "crop", "squash": "squash", "longest": "longest"}
# What shapes training or loading and leaves the vectors alone: no part of a fingerprint.
_IRRELEVANT = {"timm_model_pretrained", "timm_drop", "timm_drop_path", "patch_dropout"}


def load(spec: EncoderSpec, *, progress: hub.Progress | None = None) -> Model:
    """Loads a model and its weights, strictly.

    Raises UsageError for an unknown name, ShoeboxError where files are missing or do not fit together.
    """
    if spec.library == "pocket":
        from core.pocket.model import model_files

        weights = model_files().weights
        if not weights.is_file():
            raise ShoeboxError("the pocket model's weights are missing", "install shoebox again")
        return _build(spec, read_config(weights.with_name(CONFIG)), weights)
    config = _config(spec)
    return _build(spec, config, spec.weights or _published(spec, progress))


def _config(spec: EncoderSpec) -> dict[str, Any]:
    """The configuration in the hub's form: {model_cfg, preprocess_cfg}."""
    path = spec.model_config or (spec.weights and beside(spec.weights, CONFIG))
    if not path and spec.hub_repo:
        path = hub.fetch(spec.hub_repo, [CONFIG])
    if path:
        config = read_config(path)
        if "model_cfg" not in config:
            config = {"model_cfg": config, "preprocess_cfg": _published_preprocessing(spec) if spec.tag else {}}
        model = config["model_cfg"]
        if not isinstance(model, dict) or not {"embed_dim", "vision_cfg", "text_cfg"} <= set(model):
            raise ShoeboxError(
                f"{path} is no open_clip model configuration",
                "it must hold embed_dim, vision_cfg and text_cfg, alone or under model_cfg",
            )
        return config
    import open_clip

    check_known("open_clip model", spec.architecture, open_clip.list_models())
    model = open_clip.get_model_config(spec.architecture)
    if _tags(spec).get(spec.tag, {}).get("quick_gelu"):  # the weights decide on the activation, not the name
        model["quick_gelu"] = True
    return {"model_cfg": model, "preprocess_cfg": _published_preprocessing(spec)}


def _tags(spec: EncoderSpec) -> dict[str, dict[str, Any]]:
    """open_clip's table of published weights of the architecture, by tag."""
    from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model

    tags = list_pretrained_tags_by_model(spec.architecture)
    return {tag: get_pretrained_cfg(spec.architecture, tag) for tag in tags}


def _published_preprocessing(spec: EncoderSpec) -> dict[str, Any]:
    """What the tag was trained with; without a tag, what all tags of the architecture share."""
    tags = _tags(spec)
    chosen = [tags[spec.tag]] if spec.tag in tags else list(tags.values())
    found = [{key: cfg[key] for key in ("mean", "std", "interpolation", "resize_mode")} for cfg in chosen]
    return found[0] if found and all(cfg == found[0] for cfg in found) else {}


def _published(spec: EncoderSpec, progress: hub.Progress | None) -> Path:
    """The weights that a tag or a repository stands for, fetched where they are not here."""
    if spec.hub_repo:
        return hub.fetch(spec.hub_repo, OPEN_CLIP_WEIGHTS, progress=progress)
    tags = _tags(spec)
    if not spec.tag:
        raise UsageError(
            f"{spec} names no weights",
            f"add a tag ({', '.join(list(tags)[:4])}) as in open_clip:MODEL/TAG, or give --weights FILE",
        )
    check_known(f"weights of {spec.architecture} tagged", spec.tag, tags)
    repo, _, name = tags[spec.tag].get("hf_hub", "").rpartition("/")
    if not repo:
        raise ShoeboxError(f"the weights of {spec} are not on the hub", "fetch them and give --weights FILE")
    names = [str(Path(name).with_suffix(".safetensors")), name] if name else OPEN_CLIP_WEIGHTS
    return hub.fetch(repo, names, progress=progress)


def _build(spec: EncoderSpec, config: dict[str, Any], weights: Path) -> Model:
    import open_clip
    from open_clip.transform import image_transform_v2

    cfg = config["model_cfg"]
    model = _empty(spec, cfg)
    own = _own_preprocessing(model, config.get("preprocess_cfg") or {})
    try:
        open_clip.load_checkpoint(model, str(weights), strict=True, weights_only=True)
    except Exception as error:  # missing keys, other shapes, no checkpoint at all, an unsafe pickle
        raise not_these_weights(weights, str(spec), error) from error
    model.eval().requires_grad_(False)
    preprocessing = _preprocessing(own)
    architecture = {
        "library": "open_clip",
        "embed_dim": cfg["embed_dim"],
        "quick_gelu": cfg.get("quick_gelu", False),
        "vision": {key: value for key, value in cfg["vision_cfg"].items() if key not in _IRRELEVANT},
    }
    return Model(
        spec=spec,
        image_tower=model.visual,
        text=_text(spec, model, cfg["text_cfg"], weights),
        dimension=cfg["embed_dim"],
        preprocessing=preprocessing,
        transform=image_transform_v2(own, is_train=False),
        fingerprint=fingerprint(architecture, weights, preprocessing),
    )


def _empty(spec: EncoderSpec, cfg: dict[str, Any]) -> Any:
    """The architecture, its weights still random, by the rules of open_clip's `create_model`."""
    import open_clip

    cfg = copy.deepcopy(cfg)
    try:
        cfg["vision_cfg"]["timm_model_pretrained"] = False
        foreign_text = "hf_model_name" in cfg["text_cfg"]
        if foreign_text:
            cfg["text_cfg"]["hf_model_pretrained"] = False
        custom = cfg.pop("custom_text", False) or foreign_text
        if "multimodal_cfg" in cfg:
            return open_clip.CoCa(**cfg)
        return open_clip.CustomTextCLIP(**cfg) if custom else open_clip.CLIP(**cfg)
    except ImportError as error:
        raise ShoeboxError(f"{spec} needs the package {error.name}", "install it, or choose another") from error
    except Exception as error:  # whatever a wrong configuration makes torch or timm raise
        raise ShoeboxError(f"the configuration of {spec} describes no model: {error}", "correct it") from error


def _own_preprocessing(model: Any, cfg: dict[str, Any]) -> Any:
    """open_clip's PreprocessCfg: its defaults, what the configuration says, and the size the model takes."""
    from open_clip.transform import PreprocessCfg, merge_preprocess_dict

    try:
        own = PreprocessCfg(**{**merge_preprocess_dict(PreprocessCfg(), cfg), "size": model.visual.image_size})
        _preprocessing(own)
    except Exception as error:  # it comes from a file
        raise ShoeboxError(f"the preprocessing in the model configuration is wrong: {error}", "correct it") from error
    return own


def _preprocessing(own: Any) -> Preprocessing:
    size = (own.size, own.size) if isinstance(own.size, int) else tuple(own.size)
    return Preprocessing(
        size=size,
        mode=_MODES[own.resize_mode],  # type: ignore[arg-type]
        interpolation="bilinear" if own.interpolation == "bilinear" else "bicubic",
        mean=_three(own.mean),
        std=_three(own.std),
        fill=own.fill_color,
    )


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = values if isinstance(values, list | tuple) else (values,) * 3
    return float(red), float(green), float(blue)


def _text(spec: EncoderSpec, model: Any, cfg: dict[str, Any], weights: Path) -> TextTower:
    bias = getattr(model, "logit_bias", None)
    return TextTower(
        module=model,
        tokenizer=lambda: _tokenizer(spec, cfg, weights),
        logit_scale=float(model.logit_scale.exp()),
        logit_bias=0.0 if bias is None else float(bias),
    )


def _tokenizer(spec: EncoderSpec, cfg: dict[str, Any], weights: Path) -> Callable[[Sequence[str]], torch.Tensor]:
    """open_clip's own tokenizer, or one of the transformers package, whose files may lie beside the weights."""
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    options = {"context_length": cfg.get("context_length", 77), **cfg.get("tokenizer_kwargs", {})}
    name = cfg.get("hf_tokenizer_name")
    if not name:
        return SimpleTokenizer(**options)  # type: ignore[no-any-return]
    source = str(weights.parent) if beside(weights, "tokenizer.json") else name
    try:
        return HFTokenizer(source, tokenizer_mode=cfg.get("tokenizer_mode"), **options)  # type: ignore[no-any-return]
    except ImportError as error:
        raise ShoeboxError(
            f"the words of {spec} need the package transformers",
            "pip install 'transformers>=5,<6' (or shoebox[siglip]), then shoebox stop; pictures work without it",
        ) from error
    except Exception as error:  # its client raises many kinds
        raise ShoeboxError(
            f"the tokenizer of {spec} is not on this machine and cannot be fetched",
            f"put tokenizer.json and tokenizer_config.json of {name} beside the weights; pictures work without them",
        ) from error
