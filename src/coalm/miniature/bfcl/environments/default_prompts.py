"""The miniature's words for the prompted protocol, by the names that BFCL gives such words."""

OUTPUT_FORMAT_MAPPING = {"python": "[function(parameter=value, ...), ...]"}

PARAM_TYPE_MAPPING = {"python": ""}

PROMPT_STYLE_TEMPLATES = {
    "classic": {
        "persona": "You keep house.",
        "task": "Do what you are asked for with the functions below.",
        "tool_call_no_tag": "Call them as {output_format} and write nothing else.{param_types}",
        "multiturn_behavior": "Go on until nothing is left to call.",
        "available_tools": "The functions, in {format}:\n{functions}\n",
    },
}

_PLAIN = "{persona} {task}\n\n{tool_call_format}\n\n{multiturn_behavior}\n\n{available_tools}"

PROMPT_TEMPLATE_MAPPING = {"plaintext": _PLAIN}

DEFAULT_USER_PROMPT_FOR_ADDITIONAL_FUNCTION_FC = "There are more functions now. Can you do it?"

DEFAULT_USER_PROMPT_FOR_ADDITIONAL_FUNCTION_PROMPTING = (
    "{functions}\n" + DEFAULT_USER_PROMPT_FOR_ADDITIONAL_FUNCTION_FC
)
