"""A configuration file is read whole, and every mistake in it has a line."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from nightdesk.config_files import MAX_BYTES, read_config
from nightdesk.errors import ConfigurationError


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = Field(ge=1, description="how large it is")
    names: list[str] = Field(default_factory=list)


class File(BaseModel):
    items: dict[str, Item] = Field(default_factory=dict, description="the items by name")
    title: str = ""


def read(tmp_path: Path, text: str) -> File:
    path = tmp_path / "some.yaml"
    path.write_text(text)
    return read_config(path, File, variable="SOME_CONFIG")


def problem(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    return str(caught.value).replace(str(tmp_path), "")


def test_scalars_are_what_the_model_makes_of_their_text(tmp_path: Path) -> None:
    file = read(tmp_path, "items: {a: {size: 12, names: [on, 007, ~, 1e3]}}\ntitle: 2024-01-01\n")

    assert file.items["a"].size == 12
    assert file.items["a"].names == ["on", "007", "~", "1e3"]
    assert file.title == "2024-01-01"


def test_an_alias_is_written_out(tmp_path: Path) -> None:
    assert read(tmp_path, "items:\n  a: &a {size: 3}\n  b: *a\n").items["b"].size == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("items:\n  a:\n    size: 0\n", "/some.yaml:3: items.a.size: "),
        ("items:\n  a:\n    size: 0\n", "(how large it is)"),
        ("items:\n  a:\n    names: []\n", "/some.yaml:3: items.a.size: Field required (how large it is)"),
        ("items:\n  a:\n    size: 1\n    names: [x, [y]]\n", "/some.yaml:4: items.a.names.1: "),
        ("items:\n  a: 1\n", "/some.yaml:2: items.a: "),
        ("title: a\ntitle: b\n", "/some.yaml:2: title: is given twice; remove one"),
        ("a: b\n  c: d\n", "/some.yaml:2: not YAML: "),
        ("a: !!python/object:os.system x\nitems: 3\n", "/some.yaml:2: items: "),
        ("a: &a [*a]\n", "/some.yaml:1: an alias refers to what it is part of"),
        ("--- 1\n--- 2\n", "not YAML"),
        ("[" * 3000, "/some.yaml"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_field(tmp_path: Path, text: str, says: str) -> None:
    assert says in problem(tmp_path, text)


def test_every_mistake_is_named(tmp_path: Path) -> None:
    assert len(problem(tmp_path, "items:\n  a: {size: 0}\n  b: {sise: 1}\n").splitlines()) == 3


def test_a_missing_file_names_its_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SOME_CONFIG"):
        read_config(tmp_path / "none.yaml", File, variable="SOME_CONFIG")


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 2000))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "values, those that aliases repeat included"),
        (CHAIN, "nested deeper than"),
        ("items: {" + "a: {size: [" * 40 + "]}" * 40 + "}", "nested deeper than"),
        ("items:\n" + "".join(f"  a{n}: x\n" for n in range(19_000)), "19000 mistakes in all"),
        ("".join("a: b\n" for _ in range(15_000)), "a: is given twice"),
        ("? " + "x" * 100_000 + "\n: 1\n", "xxxx"),
    ],
)
def test_a_file_that_says_too_much_is_refused_in_short(tmp_path: Path, text: str, says: str) -> None:
    class Strict(File):
        model_config = ConfigDict(extra="forbid")

    path = tmp_path / "some.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_config(path, Strict, variable="SOME_CONFIG")
    assert says in str(caught.value)
    assert len(str(caught.value)) < 40_000


def test_a_file_without_an_end_is_refused_and_not_read_for_ever() -> None:
    with pytest.raises(ConfigurationError, match="larger than"):
        read_config(Path("/dev/zero"), File, variable="SOME_CONFIG")


def test_a_file_that_is_no_text_or_far_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    for content in (b"\xff\xfe", b"#" * (MAX_BYTES + 1)):
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"some\.yaml"):
            read_config(path, File, variable="SOME_CONFIG")
