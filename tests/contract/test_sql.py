"""No SQL is put together from strings: statements are files or constants, and values are their parameters.

What is handed to a driver may be a constant, the text of a file, or psycopg's own composition of a constant with
identifiers and literals (``sql.SQL("...").format(sql.Identifier(name))``). An f-string with values, ``%``, ``+``,
``format`` and ``join`` are none of these, nor is a variable that was assigned one.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("nightdesk", "services", "deploy", "bench")

TAKES_SQL = {"execute", "executemany", "executescript", "fetch", "fetchrow", "fetchval", "stream"}
"""Methods of connections and cursors whose first argument is a statement."""

COPYING = {"cursor", "connection", "one", "inside"}
"""Whose ``copy`` is PostgreSQL's; a path's or a list's is not."""

ALLOWED = {
    "services/alerter/store/file.py:_migrate": "SQLite takes no parameters in a PRAGMA; the version is a constant",
    "services/alerter/store/file.py:_configured": "SQLite takes no parameters in a PRAGMA; the time is a constant",
}
"""Places, as file:function, that may do it all the same, and why."""


class Finding(ast.NodeVisitor):
    """Finds the statements of one module that are put together, with the function they are in and their lines."""

    def __init__(self, tree: ast.Module) -> None:
        self.found: list[tuple[str, int]] = []
        self._functions: list[str] = []
        self._scopes: list[dict[str, list[ast.expr]]] = [_assigned(tree)]
        self.visit(tree)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._functions.append(node.name)
        self._scopes.append(_assigned(node))
        self.generic_visit(node)
        self._scopes.pop()
        self._functions.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  ast's name

    def visit_Call(self, node: ast.Call) -> None:
        if node.args and _takes_sql(node) and self._is_built(node.args[0]):
            self.found.append((self._functions[-1] if self._functions else "", node.lineno))
        self.generic_visit(node)

    def _is_built(self, node: ast.expr, seen: frozenset[str] = frozenset()) -> bool:  # noqa: PLR0911  a case a line
        """Return whether a text is put together, here or where it was assigned."""
        if isinstance(node, ast.JoinedStr):
            return any(isinstance(part, ast.FormattedValue) for part in node.values)
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, ast.Add | ast.Mod) and not _is_constant(node)
        if isinstance(node, ast.IfExp):
            return self._is_built(node.body, seen) or self._is_built(node.orelse, seen)
        if isinstance(node, ast.Await | ast.Starred | ast.NamedExpr | ast.Subscript):
            return self._is_built(node.value, seen)
        if isinstance(node, ast.Call):
            return self._is_built_by_call(node, seen)
        if isinstance(node, ast.Name) and node.id not in seen:
            scope = next((scope for scope in reversed(self._scopes) if node.id in scope), {})
            return any(self._is_built(value, seen | {node.id}) for value in scope.get(node.id, []))
        return False

    def _is_built_by_call(self, node: ast.Call, seen: frozenset[str]) -> bool:
        if not isinstance(node.func, ast.Attribute):
            return False
        if node.func.attr == "format":
            return not _is_composed(node.func.value)
        if node.func.attr in {"join", "replace", "format_map", "substitute", "safe_substitute"}:
            return not _is_composed(node.func.value)
        return self._is_built(node.func.value, seen)  # .encode(), .strip() and the like


def _takes_sql(node: ast.Call) -> bool:
    if isinstance(node.func, ast.Name):
        return node.func.id == "SQL"
    if not isinstance(node.func, ast.Attribute):
        return False
    receiver = node.func.value
    name = (
        receiver.id if isinstance(receiver, ast.Name) else receiver.attr if isinstance(receiver, ast.Attribute) else ""
    )
    if node.func.attr == "SQL":
        return True
    return node.func.attr in TAKES_SQL or (node.func.attr == "copy" and name.lstrip("_") in COPYING)


def _is_composed(node: ast.expr) -> bool:
    """Return whether a text is psycopg's ``sql.SQL(...)``, whose argument is looked at by itself."""
    called = isinstance(node, ast.Call) and node.func
    return (
        isinstance(called, ast.Attribute | ast.Name)
        and (getattr(called, "attr", "") or getattr(called, "id", "")) == "SQL"
    )


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add) and _is_constant(node.left) and _is_constant(node.right)
    return isinstance(node, ast.Constant)


def _assigned(scope: ast.AST) -> dict[str, list[ast.expr]]:
    """Return what is assigned to each name of a module or a function, not of the functions in it."""
    found: dict[str, list[ast.expr]] = {}
    for node in _inside(scope):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and value is not None:
            built = ast.BinOp(ast.Name("_"), ast.Add(), value) if isinstance(node, ast.AugAssign) else value
            for target in targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(built)
    return found


def _inside(scope: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node
            yield from _inside(node)


def built(source: str) -> list[int]:
    """Return the lines of the statements that a text of Python puts together."""
    return [line for _, line in Finding(ast.parse(source)).found]


@cache
def modules() -> dict[str, ast.Module]:
    files = (file for source in SOURCES for file in sorted((ROOT / source).rglob("*.py")))
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def test_no_statement_is_put_together_from_strings() -> None:
    places = {
        (f"{name}:{function}", line) for name, tree in modules().items() for function, line in Finding(tree).found
    }

    assert {f"{place} (line {line})" for place, line in places if place not in ALLOWED} == set()
    assert {place for place, _ in places} >= set(ALLOWED)


@pytest.mark.parametrize(
    "bad",
    [
        'cursor.execute(f"SELECT {column} FROM orders")',
        "connection.execute(\"SELECT * FROM orders WHERE symbol = '%s'\" % symbol)",
        'connection.execute("SELECT * FROM " + table)',
        'await connection.execute("SELECT {}".format(name), values)',
        'connection.execute(", ".join(names))',
        'connection.execute(statement("orders").decode().replace("TABLE", table))',
        'connection.execute(f"SELECT {name}".encode())',
        'text = f"DROP TABLE {name}"\nconnection.execute(text)',
        'text = "SELECT 1"\ntext += condition\nconnection.execute(text)',
        'def run(self):\n    query = "DELETE FROM " + self.table\n    self._connection.execute(query, [1])',
        'with cursor.copy(f"COPY {table} FROM STDIN") as copy:\n    pass',
        'connection.execute(sql.SQL(f"SELECT {name}"))',
        'connection.execute(SQL("SELECT " + name))',
        'connection.execute(a if is_new else f"SELECT {name}")',
        'cursor.executemany("INSERT INTO t VALUES (%d)" % number, rows)',
        'BAD = "SELECT " + NAME\ndef run(connection):\n    connection.execute(BAD)',
    ],
)
def test_a_statement_that_is_put_together_is_found(bad: str) -> None:
    assert len(built(bad)) == 1


@pytest.mark.parametrize(
    "good",
    [
        'connection.execute("SELECT * FROM orders WHERE symbol = %s", [symbol])',
        'connection.execute("SELECT *" " FROM orders" + " LIMIT 1")',
        'connection.execute(statement("orders").encode(), values)',
        'connection.execute(files("nightdesk").joinpath("x.sql").read_bytes())',
        'connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))',
        'text = statement("orders")\nconnection.execute(text, {"limit": a + b})',
        'cursor.copy("COPY staged FROM STDIN")',
        "pipeline.execute()",
        'shutil.copy(f"{folder}/a", target)',
        'text = f"{a}"\ndef run(connection):\n    text = "SELECT 1"\n    connection.execute(text)',
    ],
)
def test_a_statement_with_parameters_passes(good: str) -> None:
    assert built(good) == []


# --- the files ---

PLACEHOLDER = re.compile(r"%\((\w+)\)s|%s")


def statements() -> dict[str, list[Path]]:
    """Return the files of SQL by the name that code calls them."""
    found: dict[str, list[Path]] = {}
    for source in SOURCES:
        for file in (ROOT / source).rglob("*.sql"):
            found.setdefault(file.stem, []).append(file)
    return found


def without_parameters(source: str | ast.Module, known: dict[str, bool]) -> list[int]:
    """Return the lines that run a statement by its name and give no parameters to one that takes some."""
    tree = ast.parse(source) if isinstance(source, str) else source
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _takes_sql(node) and node.args and not _has_values(node)
        for name in _named(node.args[0])
        if known.get(name)
    ]


def _has_values(node: ast.Call) -> bool:
    return len(node.args) > 1 or bool(node.keywords)


def _named(node: ast.expr) -> list[str]:
    """Return the name in ``statement("name")``, whatever is done to its text."""
    return [
        one.args[0].value
        for one in ast.walk(node)
        if isinstance(one, ast.Call)
        and getattr(one.func, "id", getattr(one.func, "attr", "")) in {"statement", "_statement"}
        and one.args
        and isinstance(one.args[0], ast.Constant)
        and isinstance(one.args[0].value, str)
    ]


def test_every_statement_that_takes_values_is_given_them() -> None:
    known = {
        name: all(PLACEHOLDER.search(file.read_text(encoding="utf-8")) for file in files)
        for name, files in statements().items()
    }
    found = {f"{name}:{line}" for name, tree in modules().items() for line in without_parameters(tree, known)}

    assert any(known.values())
    assert found == set()


def test_a_statement_without_its_values_is_found() -> None:
    known = {"orders": True, "count": False}

    assert without_parameters('connection.execute(statement("orders"))', known) == [1]
    assert without_parameters('connection.execute(statement("orders").encode(), values)', known) == []
    assert without_parameters('connection.execute(statement("count"))', known) == []


def test_no_file_of_sql_has_places_for_strings() -> None:
    """What is in braces would be filled by ``format``; PostgreSQL's own are literals of arrays and of JSON."""
    template = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}|\$\{")
    found = [
        str(file.relative_to(ROOT))
        for files in statements().values()
        for file in files
        if template.search(file.read_text(encoding="utf-8"))
    ]

    assert found == []
