"""The OpenAPI document as a page for people: plain HTML, made once, readable where there is no internet."""

import base64
import hashlib
import json
from html import escape
from typing import Any

Document = dict[str, Any]

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{border-bottom:1px solid #8886;margin-top:3rem}pre,code{font:14px/1.4 ui-monospace,monospace}
pre{background:#8881;padding:.75rem;overflow:auto;border-radius:.4rem;white-space:pre-wrap}
details{border:1px solid #8886;border-radius:.4rem;padding:.5rem 1rem;margin:.6rem 0}summary{cursor:pointer}
summary b{display:inline-block;min-width:3.5rem}summary span{opacity:.75}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .5rem;
border-top:1px solid #8884}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'; base-uri 'none'"


def page(document: Document) -> str:
    """The whole page."""
    info = document["info"]
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(method, path, operation, document))
    sections = "".join(f"<h2>{escape(tag)}</h2>{''.join(items)}" for tag, items in groups.items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>{_text(info['description'])}"
        '<p>The same for programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>'
        f"{sections}</body></html>"
    )


def _operation(method: str, path: str, operation: Document, document: Document) -> str:
    parts = [
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> "
        f"<span>{escape(operation['summary'])}</span></summary>",
        _text(operation["description"]),
        "<p>Needs an access token.</p>" if "security" in operation else "",
    ]
    rows = [
        (f"{item['name']} ({item['in']})", item["required"], item["schema"], item.get("description", ""))
        for item in operation["parameters"]
    ]
    if "requestBody" in operation:
        schema = _resolve(operation["requestBody"]["content"]["application/json"]["schema"], document)
        required = schema.get("required", [])
        for name, kind in schema.get("properties", {}).items():
            rows.append((f"{name} (body)", name in required, kind, ""))
        parts.append(_example("Request", example(schema, document)))
    parts.append(_table(rows, document))
    for status, answer in operation["responses"].items():
        content = answer.get("content", {}).get("application/json")
        if content is not None:
            parts.append(_example(f"Answer {status}", example(content["schema"], document)))
        else:
            parts.append(f"<p><b>{status}</b> {_inline(answer['description'])}</p>")
    return "".join(parts) + "</details>"


def example(schema: Document, document: Document) -> Any:
    """A value that fits the schema, from its examples where it has some."""
    schema = _resolve(schema, document)
    if schema.get("examples"):
        return schema["examples"][0]
    if "default" in schema and schema["default"] is not None:
        return schema["default"]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return example(schema[choice][0], document)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    if schema.get("type") == "object":
        return {name: example(kind, document) for name, kind in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [example(schema["items"], document)] if schema.get("items") else []
    return {"integer": 1, "number": 1.0, "boolean": True, "null": None}.get(str(schema.get("type")), "…")


def _resolve(schema: Document, document: Document) -> Document:
    name = schema.get("$ref", "").rpartition("/")[2]
    resolved: Document = document["components"]["schemas"][name] if name else schema
    return resolved


def _table(rows: list[tuple[str, bool, Document, str]], document: Document) -> str:
    if not rows:
        return ""
    lines = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{'required' if required else ''}</td>"
        f"<td>{escape(_kind(schema, document))}</td><td>{escape(text or _description(schema))}</td></tr>"
        for name, required, schema, text in rows
    )
    return f"<table><tr><th>Name</th><th></th><th>Type</th><th></th></tr>{lines}</table>"


def _kind(schema: Document, document: Document) -> str:
    schema = _resolve(schema, document)
    if "anyOf" in schema:
        kinds = [_kind(item, document) for item in schema["anyOf"] if item.get("type") != "null"]
        return " or ".join(kinds)
    if "enum" in schema:
        return " | ".join(str(item) for item in schema["enum"])
    kind = schema.get("type", "")
    words = [" or ".join(kind) if isinstance(kind, list) else str(kind)]
    words += [f"{word} {schema[key]}" for key, word in _BOUNDS.items() if key in schema]
    return ", ".join(words)


_BOUNDS = {
    "format": "format",
    "minimum": "from",
    "maximum": "to",
    "minLength": "at least",
    "maxLength": "at most",
    "pattern": "like",
}


def _description(schema: Document) -> str:
    inner = [schema, *schema.get("anyOf", [])]
    return next((item["description"] for item in inner if "description" in item), "")


def _example(title: str, value: Any) -> str:
    text = escape(json.dumps(value, indent=2, ensure_ascii=False))
    return f"<p><b>{escape(title)}</b></p><pre>{text}</pre>"


def _text(markdown: str) -> str:
    return f"<pre>{escape(markdown)}</pre>" if markdown else ""


def _inline(markdown: str) -> str:
    pieces = escape(markdown).split("`")
    return "".join(f"<code>{piece}</code>" if odd % 2 else piece for odd, piece in enumerate(pieces))
