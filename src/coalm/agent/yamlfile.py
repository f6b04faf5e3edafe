"""YAML files that people write, read as they are meant: a key that stands twice is an error.

Only what JSON knows comes out. A date stays a text, and `no` is the word "no": YAML 1.2 has it
so, and schemas with either could not be sent to a model.
"""

import re
from typing import Any

import yaml

_MERGE, _BOOL = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:bool"
_LOST = ("tag:yaml.org,2002:timestamp", _BOOL)


class _Loader(yaml.SafeLoader):
    """Safe: it makes plain values and nothing else."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        """A mapping, if none of its keys stands there twice."""
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} stands here twice", key.start_mark
                )
            seen.add(key.value)
        return node


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag not in _LOST]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF")


def loads(text: str) -> Any:
    """The value of a YAML text; a `yaml.YAMLError` names line and column of what is wrong."""
    return yaml.load(text, Loader=_Loader)  # a safe one
