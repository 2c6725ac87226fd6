"""Read a file of ``config/``: all that is wrong is named at once, with its file, line, field and mend.

Scalars are read as text, as they were written, and the model makes numbers of them: so a symbol called ``ON`` does not
become a truth value, nor ``1_000`` or ``010`` something else than it looks like.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from nightdesk.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES: Final = 256 * 1024
"""Read in five seconds, at most."""

MAX_VALUES: Final = 20_000
"""Values in a file, those that aliases repeat counted each time: a few lines of them can stand for billions."""

MAX_DEPTH: Final = 32
MAX_PROBLEMS: Final = 50
MAX_PROBLEM_CHARACTERS: Final = 500

Location: TypeAlias = tuple[str | int, ...]
"""Where in a file: keys and positions in lists, from the outside in."""

_Plain: TypeAlias = "str | list[_Plain] | dict[str, _Plain]"


def _nothing(_config: object) -> tuple[()]:
    return ()


def read_config(
    path: Path,
    model: type[Model],
    *,
    variable: str,
    check: Callable[[Model], Iterable[tuple[Location, str]]] = _nothing,
) -> Model:
    """Return the file as ``model``; raises ConfigurationError naming every wrong line.

    ``variable`` is the environment variable that says where the file is. ``check`` yields what is wrong between parts
    that are each right in themselves, with its place.
    """
    root = _composed(path, variable)
    tree = _Tree(path)
    values = tree.plain(root)
    problems = tree.problems
    try:
        config = model.model_validate(values)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        problems += [_problem(path, root, model, one["loc"], _words(model, one)) for one in wrong[:MAX_PROBLEMS]]
        problems += [f"{path}: and {len(wrong)} mistakes in all"] if len(wrong) > MAX_PROBLEMS else []
    else:
        problems += [_problem(path, root, model, place, text) for place, text in check(config)]
    if problems:
        raise ConfigurationError("\n".join(listed(problems)))
    return config


def listed(problems: Sequence[str]) -> list[str]:
    """Return the first problems, each cut to a length that can be read."""
    shown = [one if len(one) <= MAX_PROBLEM_CHARACTERS else f"{one[:MAX_PROBLEM_CHARACTERS]} ..." for one in problems]
    return [*shown[: MAX_PROBLEMS + 1], *(["..."] if len(shown) > MAX_PROBLEMS + 1 else [])]


def _composed(path: Path, variable: str) -> yaml.Node:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; set {variable} to the file") from error
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"{path}: is larger than {MAX_BYTES} bytes; set {variable} to the right file")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is not UTF-8 text at byte {error.start}; save it as UTF-8") from error
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


class _Tree:
    """Turns a file's nodes into text, lists and dicts, within bounds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values = 0
        self.problems: list[str] = []

    def plain(self, node: yaml.Node, above: tuple[yaml.Node, ...] = ()) -> _Plain:
        """Return the node; a repeated key is a problem, and so is an alias of what it is part of.

        Raises ConfigurationError for what is far too much.
        """
        self._count(node, len(above))
        if any(node is one for one in above):
            self._note(node, "an alias refers to what it is part of; write the values out")
            return ""
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, (*above, node)) for item in node.value]
        if not isinstance(node, yaml.MappingNode):
            return str(node.value)
        tree: dict[str, _Plain] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            if not name or name in tree:
                self._note(key, f"{name}: is given twice; remove one" if name else "a key must be a name")
                continue
            tree[name] = self.plain(value, (*above, node))
        return tree

    def _count(self, node: yaml.Node, depth: int) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            what = f"more than {MAX_VALUES} values, those that aliases repeat included"
        elif depth > MAX_DEPTH:
            what = f"values nested deeper than {MAX_DEPTH}"
        else:
            return
        raise ConfigurationError(f"{self._path}:{_line(node)}: {what}; this is no configuration")

    def _note(self, node: yaml.Node, what: str) -> None:
        self.problems.append(f"{self._path}:{_line(node)}: {what}")


def _problem(path: Path, root: yaml.Node, model: type[BaseModel], location: Location, text: str) -> str:
    found, known = _found(root, location)
    # pydantic's location may go on into a union's branch, which is no place of the file
    field = ".".join(str(step) for step in location[: known + 1]) or "the file"
    meaning = _meaning(model, location)
    return f"{path}:{_line(found)}: {field}: {text.removeprefix('Value error, ')}{f' ({meaning})' if meaning else ''}"


def _words(model: type[BaseModel], error: Mapping[str, Any]) -> str:
    """Return what is wrong; of a key that there is not, which one may be meant."""
    if error["type"] != "extra_forbidden":
        return str(error["msg"])
    *above, name = (str(step) for step in error["loc"])
    known = list(_model_at(model, above).model_fields)
    close = get_close_matches(name, known, n=1)
    return f"is no field here; {f'write {close[0]}' if close else 'it takes ' + ', '.join(known)}"


def _model_at(model: type[BaseModel], location: Iterable[str]) -> type[BaseModel]:
    """Return the model of the innermost part that the location names."""
    for step in location:
        field = model.model_fields.get(step)
        if field is not None:
            model = next(_models(field.annotation), model)
    return model


def _meaning(model: type[BaseModel], location: Location) -> str | None:
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


def _found(node: yaml.Node, location: Location) -> tuple[yaml.Node, int]:
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
