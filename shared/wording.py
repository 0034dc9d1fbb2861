"""What pydantic says of a wrong value, in words that do not speak of Python."""

_KINDS = {
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
    "list_type": "a list",
    "tuple_type": "a list",
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}


def reworded(kind: str, message: str) -> str:
    """A message of pydantic as `It must be a whole number`, without a full stop; `kind` is the type of the error."""
    if kind in _KINDS:
        return f"It must be {_KINDS[kind]}"
    message = message.removeprefix("Value error, ")
    message = message.replace("Input should be", "It must be", 1)
    return message.replace("Input should", "It should", 1).replace("String should", "It should", 1)
