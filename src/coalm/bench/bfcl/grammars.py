"""An answer in Java's or JavaScript's spelling, `f(a=1, b=new int[]{2})`, with tree-sitter.

The harness reads these with tree-sitter, and what its error recovery lets through counts
as read; no parser of our own could agree with that. Values stay source text. The harness
cuts Java texts by their bytes' places, so letters beyond ASCII shift its cuts; kept, for
it decides verdicts.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from coalm.bench.bfcl.categories import Language
from coalm.bench.bfcl.reading import UNREADABLE, Unreadable, bracketed, guard
from coalm.errors import MissingExtra
from coalm.types import ToolCall

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

LONGEST = 20_000
"""Characters of an answer that are looked at; the longest right one has fewer than 600."""

_PUNCTUATION = {",", "(", ")"}
_QUOTED = {"string_literal", "character_literal"}
_WHOLE = {"identifier", "class_literal", "type_identifier", "method_invocation"}


def read_source(text: str, language: Language) -> tuple[ToolCall, ...]:
    """The one call of an answer; `Unreadable` if the harness could not read it either."""
    guard(text, LONGEST)
    source = bracketed(text)[1:-1]
    try:
        root = _parser(language).parse(source.encode()).root_node
        broken = _broken(root)
        call = _java_call(root, source) if language == "java" else _javascript_call(root)
    except UNREADABLE as e:
        raise Unreadable(str(e)[:120] or type(e).__name__) from None
    if broken or call is None:
        raise Unreadable(f"not {language} source" if broken else "no call in it")
    return (call,)


@cache
def _parser(language: Language) -> "Parser":
    try:
        from tree_sitter import Language as Grammar
        from tree_sitter import Parser

        if language == "java":
            from tree_sitter_java import language as pointer
        else:
            from tree_sitter_javascript import language as pointer
    except ImportError:
        raise MissingExtra("eval", "reading answers in Java and JavaScript") from None
    return Parser(Grammar(pointer()))


def _broken(root: "Node") -> bool:
    """Whether anything had to be skipped; what the parser put in itself does not count."""
    left = [root]
    while left:
        node = left.pop()
        if node.is_error:
            return True
        left += [child for child in node.children if child.has_error]
    return False


def _java_call(root: "Node", source: str) -> ToolCall | None:
    """The first method call that has arguments, outermost first."""
    if root.type == "method_invocation":
        arguments = root.child_by_field_name("arguments")
        if arguments is None:
            return None
        name = _field(root, "name", source)
        of = root.child_by_field_name("object")
        name = f"{_cut(of, source)}.{name}" if of else name
        return ToolCall(name, _java_arguments(arguments, source))
    for child in root.children:
        found = _java_call(child, source)
        if found:
            return found
    return None


def _java_arguments(node: "Node", source: str) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for child in node.children:
        if child.type == "assignment_expression":
            _put(found, _cut(child.children[0], source), _java_value(child.children[2], source))
        elif child.type in ("identifier", "class_literal", "set"):
            _put(found, None, _java_value(child, source))
    return found


def _java_value(node: "Node", source: str, inside: bool = False) -> str:
    """The source text of a value: bare where it is one quoted text, without most blanks."""
    if node.type in _QUOTED:
        text = _cut(node, source)
        return text if inside else text[1:-1]
    if node.type in _WHOLE:
        return _cut(node, source)
    if node.type == "array_creation_expression":
        kind, value = node.child_by_field_name("type"), node.child_by_field_name("value")
        if kind is None or value is None:
            raise Unreadable("an array without its values")
        return f"new {_java_value(kind, source, True)}[]{_java_value(value, source, True)}"
    if node.type == "object_creation_expression":
        kind, given = node.child_by_field_name("type"), node.child_by_field_name("arguments")
        if kind is None:
            raise Unreadable("a new object without its type")
        inner = given.children if given else ()
        texts = [_java_value(n, source, True) for n in inner if n.type not in _PUNCTUATION]
        return f"new {_java_value(kind, source, True)}({', '.join(texts)})"
    if node.child_count:
        return "".join(_java_value(child, source, True) for child in node.children)
    return _cut(node, source)


def _javascript_call(root: "Node") -> ToolCall | None:
    """The first call that is a statement of its own."""
    for statement in root.children:
        if statement.type != "expression_statement":
            continue
        for node in statement.children:
            if node.type == "call_expression":
                name, arguments = node.children[0], node.children[1]
                return ToolCall(_text(name), _javascript_arguments(arguments))
    return None


def _javascript_arguments(node: "Node") -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for child in node.children:
        if child.type == "assignment_expression":
            value = _text(child.children[2])
            if value[:1] in ("'", '"') and value[-1:] == value[:1]:
                value = value[1:-1]
            _put(found, _text(child.children[0]), value)
        elif child.type in ("identifier", "true"):
            _put(found, None, _text(child))
    return found


def _put(found: dict[Any, Any], name: str | None, value: str) -> None:
    if name in found:
        raise Unreadable(f"{name!r} is given twice" if name else "two values without a name")
    found[name] = value


def _cut(node: "Node", source: str) -> str:
    return source[node.start_byte : node.end_byte]


def _field(node: "Node", name: str, source: str) -> str:
    child = node.child_by_field_name(name)
    if child is None:
        raise Unreadable(f"a call without its {name}")
    return _cut(child, source)


def _text(node: "Node") -> str:
    return (node.text or b"").decode()
