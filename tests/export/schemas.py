"""What the readers of an export document of their rows, as JSON Schemas of our own.

LLaMA-Factory: its page on data preparation (alpaca, sharegpt, dataset_info.json). axolotl: its
page on conversations (chat_template). OpenAI: its reference of chat messages for fine-tuning.
"""

from typing import Any

TEXT = {"type": "string"}
SOMETHING = {"type": "string", "minLength": 1}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


TOOL = _object(
    {
        "name": SOMETHING,
        "description": TEXT,
        "parameters": {
            "type": "object",
            "properties": {
                "type": {"const": "object"},
                "properties": {"type": "object", "additionalProperties": {"type": "object"}},
                "required": {"type": "array", "items": TEXT},
            },
            "required": ["type", "properties"],
        },
    }
)
"""A function as OpenAI describes it, and as LLaMA-Factory's tool formats take it apart."""

SHAREGPT = _object(
    {
        "conversations": {
            "type": "array",
            "minItems": 2,
            "items": _object(
                {
                    "from": {"enum": ["human", "gpt", "function_call", "observation"]},
                    "value": TEXT,
                }
            ),
        },
        "system": TEXT,
        "tools": TEXT,
    }
)

CALL = _object({"name": SOMETHING, "arguments": {"type": "object"}})
FUNCTION_CALL = {"anyOf": [CALL, {"type": "array", "minItems": 2, "items": CALL}]}
"""The JSON of a function_call, behind its thought."""

ALPACA = _object(
    {
        "instruction": SOMETHING,
        "input": TEXT,
        "output": TEXT,
        "system": TEXT,
        "history": {
            "type": "array",
            "items": {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2},
        },
    }
)

COALM_IT = _object({"instruction": TEXT, "input": TEXT, "output": TEXT})

_CALLED = _object(
    {
        "id": {"type": "string", "pattern": "^[A-Za-z0-9]{9}$"},
        "type": {"const": "function"},
        "function": _object({"name": SOMETHING, "arguments": TEXT}),
    }
)
OPENAI = _object(
    {
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "oneOf": [
                    _object({"role": {"enum": ["system", "user"]}, "content": TEXT}),
                    _object(
                        {"role": {"const": "assistant"}, "content": TEXT},
                        {
                            "reasoning_content": SOMETHING,
                            "tool_calls": {"type": "array", "minItems": 1, "items": _CALLED},
                        },
                    ),
                    _object(
                        {"role": {"const": "tool"}, "content": TEXT, "tool_call_id": SOMETHING},
                        {"name": SOMETHING},
                    ),
                ]
            },
        },
        "tools": {
            "type": "array",
            "items": _object({"type": {"const": "function"}, "function": TOOL}),
        },
    }
)

DATASET_INFO = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": _object(
        {"file_name": SOMETHING},
        {
            "formatting": {"enum": ["alpaca", "sharegpt"]},
            "columns": _object(
                {},
                dict.fromkeys(
                    ["prompt", "query", "response", "history", "messages", "system", "tools"], TEXT
                ),
            ),
            "tags": _object(
                {},
                dict.fromkeys(
                    [
                        "role_tag",
                        "content_tag",
                        "user_tag",
                        "assistant_tag",
                        "observation_tag",
                        "function_tag",
                        "system_tag",
                    ],
                    TEXT,
                ),
            ),
        },
    ),
}

_AXOLOTL_SET = _object(
    {"path": SOMETHING, "type": {"const": "chat_template"}},
    {
        "ds_type": {"enum": ["json", "parquet"]},
        "split": TEXT,
        "field_messages": TEXT,
        "roles_to_train": {"type": "array", "items": TEXT},
        "train_on_eos": {"enum": ["all", "turn", "last", "none"]},
        "split_thinking": {"type": "boolean"},
    },
)
AXOLOTL = _object(
    {
        "chat_template": {"const": "tokenizer_default"},
        "datasets": {"type": "array", "items": _AXOLOTL_SET},
    },
    {"test_datasets": {"type": "array", "items": _AXOLOTL_SET}},
)
