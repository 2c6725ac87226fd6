"""Read a file of ``config/``: all that is wrong is named at once, with its file, line, field and mend.

Scalars are read as text, as they were written, and the model makes numbers of them: so a symbol called ``ON`` does not
become a truth value, nor ``1_000`` or ``010`` something else than it looks like.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from nightdesk.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES: Final = 1024 * 1024

_Path: TypeAlias = tuple[str | int, ...]
_Tree: TypeAlias = "str | list[_Tree] | dict[str, _Tree]"


def read_config(path: Path, model: type[Model], *, variable: str) -> Model:
    """Return the file as ``model``; raises ConfigurationError naming every wrong line.

    ``variable`` is the environment variable that says where the file is.
    """
    root = _composed(path, variable)
    problems: list[str] = []
    tree = _plain(root, path, problems)
    try:
        config = model.model_validate(tree)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        problems += [_problem(path, root, model, one["loc"], one["msg"]) for one in wrong]
    if problems:
        raise ConfigurationError("\n".join(problems))
    return config


def _composed(path: Path, variable: str) -> yaml.Node:
    try:
        data = path.read_bytes()
        text = data.decode("utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; set {variable} to the file") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not UTF-8 text at byte {error.start}; save it as UTF-8") from error
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"{path}: is larger than {MAX_BYTES} bytes; set {variable} to the right file")
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise ConfigurationError(_not_yaml(path, error)) from error
    except (RecursionError, ValueError) as error:
        raise ConfigurationError(f"{path}: cannot be understood as YAML: {error}") from error
    if root is None:
        raise ConfigurationError(f"{path}:1: the file is empty; see the example that comes with the project")
    return root


def _not_yaml(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be understood"
    return f"{path}:{mark.line + 1 if mark is not None else 1}: not YAML: {what}; check indentation and quotes here"


def _plain(node: yaml.Node, path: Path, problems: list[str], above: tuple[yaml.Node, ...] = ()) -> _Tree:
    """Return the node as text, lists and dicts; a repeated key or an alias is a problem."""
    if isinstance(node, yaml.SequenceNode):
        return [_below(item, path, problems, (*above, node)) for item in node.value]
    if not isinstance(node, yaml.MappingNode):
        return str(node.value)
    tree: dict[str, _Tree] = {}
    for key, value in node.value:
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
        if not name or name in tree:
            what = f"{name}: is given twice; remove one" if name else "a key must be a name"
            problems.append(f"{path}:{_line(key)}: {what}")
            continue
        tree[name] = _below(value, path, problems, (*above, node))
    return tree


def _below(node: yaml.Node, path: Path, problems: list[str], above: tuple[yaml.Node, ...]) -> _Tree:
    if any(node is one for one in above):
        problems.append(f"{path}:{_line(node)}: an alias refers to what it is part of; write the values out")
        return ""
    return _plain(node, path, problems, above)


def _problem(path: Path, root: yaml.Node, model: type[BaseModel], location: _Path, text: str) -> str:
    found, known = _found(root, location)
    # pydantic's location may go on into a union's branch, which is no place of the file
    field = ".".join(str(step) for step in location[: known + 1]) or "the file"
    meaning = _meaning(model, location)
    return f"{path}:{_line(found)}: {field}: {text.removeprefix('Value error, ')}{f' ({meaning})' if meaning else ''}"


def _meaning(model: type[BaseModel], location: _Path) -> str | None:
    """Return the description of the innermost field that the location names."""
    meaning = None
    for step in location:
        field = model.model_fields.get(str(step))
        if field is None:
            continue
        meaning = field.description
        model = next(_models(field.annotation), model)
    return meaning


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401  an annotation is anything
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _found(node: yaml.Node, location: _Path) -> tuple[yaml.Node, int]:
    """Return the node at the location, or the nearest above it, and how many steps of the location lead to it."""
    for known, step in enumerate(location):
        below = dict(_children(node)).get(str(step))
        if below is None:
            return node, known
        node = below
    return node, len(location)


def _children(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        yield from ((str(key.value), value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((str(place), value) for place, value in enumerate(node.value))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
