"""The JSON Schema of one Livestream record, made from the table of columns in ``fields``.

The law: a record that is as Adobe's pages say is valid. Where the pages contradict each other,
every type that they show is right; what they do not name is allowed everywhere, for new fields may
appear at any time. Each column's place, type and meaning come from the table; what stands here
besides is what holds several values per hit. Its types are from ``variable-reference.md`` and
``example-output.md``, and from ``metrics_dimensions.md`` the second spelling of hierarchies.
"""

import json
from copy import deepcopy
from functools import cache
from typing import Any

from livestream_nb.hits.fields import ALWAYS, FAMILIES, NESTED, SINGLE, Column, Family
from livestream_nb.hits.values import UINT64_MAX

__all__ = ["record_schema", "schema_json"]

_Schema = dict[str, Any]

_KINDS: dict[str, _Schema] = {
    "text": {"type": "string"},
    "id": {"type": "integer", "minimum": 0, "maximum": UINT64_MAX},
    "integer": {"type": "integer"},
    "number": {"type": ["number", "string"]},
    "flag": {"type": "boolean"},
    "formats": {"type": ["boolean", "string"]},
    "excluded": {"type": ["string", "boolean"]},
    "time": {"type": "integer", "minimum": 0},
    "event": {"$ref": "#/$defs/instances"},
    "texts": {"$ref": "#/$defs/list"},
    "pairs": {"type": "object"},
    "totals": {"type": "object"},
    "products": {"type": "array", "items": {"$ref": "#/$defs/product"}},
    "hierarchies": {"type": "object", "additionalProperties": {"$ref": "#/$defs/hierarchy"}},
    "activities": {"type": ["array", "object"]},
}

# release-notes.md, 13 April 2026: an evar that counts holds 1.0.
_FAMILY_KINDS: dict[str, _Schema] = {"evar": {"type": ["string", "number"]}}

_TEXTS: _Schema = {"type": "array", "items": {"type": "string"}}

_DEFINED: _Schema = {
    "instances": {
        "description": "instances of an event; its value is the sum of count * 10^-exponent",
        "type": "array",
        "items": {
            "type": "object",
            "required": ["count"],
            "properties": {
                "count": {"type": "number"},
                "exponent": {"type": "integer", "description": "decimal places of count"},
                "unique": {"type": "string", "description": "serial number of the event"},
            },
        },
    },
    "list": {
        "type": "object",
        "properties": {
            "values": _TEXTS,
            "delim": {"type": "integer", "description": "character code of the delimiter"},
        },
    },
    "hierarchy": {
        "type": "object",
        "properties": {
            "values": {
                "type": ["string", "array"],
                "items": {"type": "string"},
                "description": "the levels, as one text or as a list",
            },
            "delim": {
                "type": ["integer", "string"],
                "description": "the delimiter, as character code or as text",
            },
        },
    },
    "product": {
        "type": "object",
        "properties": {
            "category": {"type": "string"},
            "name": {"type": "string"},
            "units": {"type": "number", "description": "units ordered"},
            "revenue": {"type": "number", "description": "revenue, in the hit's currency"},
            "evars": {"$ref": "#/properties/evars/properties/evars"},
            "events": {
                "anyOf": [
                    {"$ref": "#/properties/events"},
                    {"type": "array", "items": {"type": "object"}},
                ]
            },
        },
    },
}

# What holds columns, or the spellings of one, and is none itself.
_AROUND: _Schema = {
    "evars": {"type": "object"},
    "exclude": {
        "type": "object",
        "properties": {
            "id": {"type": ["string", "integer"], "description": "number of the reason"},
            "description": {"type": "string", "description": "the reason in words"},
        },
        "description": "whether and why the hit is left out of Adobe's reports",
    },
    "mvvars": {"type": "object", "description": "list variables"},
}

_RECORD: _Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Livestream record",
    "description": (
        "One hit of an Adobe Analytics Livestream, as livestream_nb reads Adobe's pages; this is"
        " not Adobe's own schema. Ids are unsigned 64-bit: read them as exact integers."
        " Unknown fields are allowed, and new ones may appear at any time."
    ),
    "type": "object",
    "required": [column.name for column in ALWAYS],
    "properties": _AROUND,
    "$defs": _DEFINED,
}


def record_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one record of a stream.

    Returns
    -------
    dict
        The schema; a new copy each time.
    """
    schema: dict[str, Any] = json.loads(schema_json())
    return schema


@cache
def schema_json() -> bytes:
    """The schema of :func:`record_schema` as JSON text, indented for people to read."""
    record = deepcopy(_RECORD)
    for column in (*NESTED, *SINGLE):
        fields = _object(record, column.path[:-1]).setdefault("properties", {})
        fields[column.path[-1]] = _KINDS[column.kind] | {"description": _meaning(column)}
    for name, family in FAMILIES.items():
        types = _FAMILY_KINDS.get(name, _KINDS[family.kind])
        _add_family(record, family, types | {"description": f"{family.meaning} 1 to {family.last}"})
    record["properties"] = dict(sorted(record["properties"].items()))
    return json.dumps(record, indent=1).encode()


def _object(schema: _Schema, path: tuple[str, ...]) -> _Schema:
    for key in path:
        schema = schema["properties"][key]
    return schema


def _add_family(record: _Schema, family: Family, value: _Schema) -> None:
    numbered = next(depth for depth, key in enumerate(family.path) if "{}" in key)
    for key in reversed(family.path[numbered + 1 :]):
        value = {"type": "object", "properties": {key: value}}
    digits = (
        f"[1-9][0-9]{{0,{len(str(family.last)) - 1}}}" if family.last > 9 else f"[1-{family.last}]"
    )
    pattern = f"^{family.path[numbered].format(digits)}$"
    around = _object(record, family.path[:numbered])
    around.setdefault("patternProperties", {})[pattern] = value


def _meaning(column: Column) -> str:
    return f"{column.meaning} ({column.unit})" if column.unit else column.meaning
