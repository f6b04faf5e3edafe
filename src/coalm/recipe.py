"""Recipes: a YAML file and `key=value` overrides become frozen settings.

One file may hold the whole story of a run: `data`, `train`, `eval` are sections,
each read by the code that it sets. A typo gets a suggestion, and the resolved
settings, every default included, go into the folder that the run leaves behind.
"""

import ast
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from coalm.errors import RecipeError, unknown

SECTIONS = ("name", "data", "train", "eval")
"""What a recipe may hold at its top."""

STRICT = ConfigDict(extra="forbid")
"""The configuration of every settings class: a name that is not a setting is an error."""

S = TypeVar("S")


def load(kind: type[S], path: Path, section: str, overrides: Iterable[str] = ()) -> S:
    """The settings of one section of a recipe file, overrides applied, checked and frozen."""
    whole = read(path)
    found = whole.get(section) or {}
    if not isinstance(found, dict):
        raise RecipeError(f"{path}: {section}: must be a block of settings, not {found!r}")
    for override in overrides:
        _set(found, override)
    return build(kind, found, f"{path}: {section}")


def read(path: Path) -> dict[str, Any]:
    """The recipe as plain values; its top-level names are checked."""
    import yaml

    try:
        whole = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        near = [str(p) for p in sorted(path.parent.glob("*.yaml"))] if path.parent.is_dir() else []
        raise RecipeError(unknown("recipe", str(path), near)) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as e:
        raise RecipeError(f"{path}: not readable as YAML: {' '.join(str(e).split())}") from None
    if not isinstance(whole, dict):
        raise RecipeError(f"{path}: a recipe is a block of {', '.join(SECTIONS)}")
    for name in whole:
        if name not in SECTIONS:
            raise RecipeError(f"{path}: {unknown('section', str(name), SECTIONS)}")
    return whole


def build(kind: type[S], values: Mapping[str, Any], where: str) -> S:
    """Settings from plain values; the first thing wrong is a `RecipeError` with its place."""
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as e:
        first = e.errors()[0]
        *outer, last = first["loc"] or ("",)
        place = ": ".join([where, *(str(part) for part in outer)])
        if first["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
            known = _known(kind, outer)
            raise RecipeError(f"{place}: {unknown('setting', str(last), known)}") from None
        if first["type"] in {"missing", "missing_argument"}:
            raise RecipeError(f"{place}: the setting {last!r} must be given") from None
        raise RecipeError(f"{place}: {last}: {first['msg']}, found {first['input']!r}") from None


def resolved(settings: object) -> dict[str, Any]:
    """Settings as plain values, every default included, ready for YAML or JSON."""
    plain: dict[str, Any] = TypeAdapter(type(settings)).dump_python(settings, mode="json")
    return plain


def help_texts(kind: type) -> dict[str, str]:
    """The docstring under each field of a settings class, by field name.

    Python keeps none of them at run time, so they are read from the source.
    """
    [tree] = ast.parse(inspect.cleandoc(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    texts: dict[str, str] = {}
    for field, after in zip(tree.body, tree.body[1:], strict=False):
        match field, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                texts[name] = " ".join(text.split())
    return texts


def _set(values: dict[str, Any], override: str) -> None:
    """Apply one `a.b=value`; the value is read as YAML, a number picks from a list."""
    import yaml

    path, equals, text = override.partition("=")
    if not equals or not path:
        raise RecipeError(f"{override!r} is not an override; write name=value")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise RecipeError(f"{override!r}: the value is not readable as YAML") from None
    *outer, last = path.split(".")
    place: Any = values
    for name in outer:
        place = _into(place, name, override)
    _into(place, last, override)  # an error where there is no such place
    place[int(last) if isinstance(place, list) else last] = value


def _into(place: Any, name: str, override: str) -> Any:
    if isinstance(place, list):
        if not name.isdigit() or int(name) >= len(place):
            raise RecipeError(f"{override!r}: the list has entries 0 to {len(place) - 1}")
        return place[int(name)]
    if isinstance(place, dict):
        return place.setdefault(name, {})
    raise RecipeError(f"{override!r}: {name!r} is inside something that holds no settings")


def _known(kind: Any, path: Iterable[Any]) -> list[str]:
    """The setting names at a place inside a settings class."""
    for name in path:
        if not is_dataclass(kind):
            break
        kinds: list[Any] = [f.type for f in fields(kind) if f.name == name]
        kind = next((k for k in _inside(kinds[0]) if is_dataclass(k)), None) if kinds else kind
    return [f.name for f in fields(kind)] if is_dataclass(kind) else []


def _inside(annotation: Any) -> list[Any]:
    from typing import get_args

    return [annotation, *(part for arg in get_args(annotation) for part in _inside(arg))]
