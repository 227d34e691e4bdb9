"""Texts that have broken somebody's software before, each of a kind of its own (security checks C6, C8, D7)."""

from __future__ import annotations

SCRIPT, IMAGE = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'

NAUGHTY = {
    "nothing": "",
    "a blank": " ",
    "a null": "a\0b",
    "control characters": "a\x01\x08\x1b[31m\x7fb",
    "line breaks": "a\r\nb\nc\u2028d\u2029e\x85f",
    "a header": "a\r\nSet-Cookie: x=1",
    "text that runs backwards": "a\u202egnp.exe\u202c",
    "invisible letters": "a\u200b\u200d\u2060\ufeffb",
    "half a character": "a\ud800b",
    "no character": "a\ufffe\uffffb",
    "an emoji of many parts": "👩‍👩‍👧‍👦🏳️‍🌈",
    "marks upon marks": "a" + "\u0301\u0316" * 60,
    "letters that grow": "İßﬁŉ" * 10,
    "other digits": "٣٤٥ ₁₂₃",
    "another script": "Ωмега 日本語 العربية",
    "a very long one": "x" * 20_000,
    "many words": "a " * 3_000,
    "a huge number": "9" * 400,
    "less than nothing": "-1",
    "not a number": "NaN",
    "a script": SCRIPT,
    "a picture that is none": IMAGE,
    "an end of what it stands in": "</textarea></script></title>-->]]>",
    "a template": "{{ 7*7 }}{% debug %}${7*7}#{7*7}",
    "a format": "%s%n%(x)s{0.__class__}",
    "a query": "'; DROP TABLE users_profiles_user; --",
    "a pattern": "%_[a-z]*(\\",
    "a path": "../../../../etc/passwd",
    "a formula": '=HYPERLINK("http://evil.example")',
    "an address of a script": "javascript:alert(1)",
    "another host": "//evil.example/x",
    "JSON": '{"__proto__": [1e999, null]}',
    "lists in lists": "[" * 3_000,
    "a date that is none": "0000-00-00",
    "the last of all days": "9999-12-31T23:59:59.999999+14:00",
    "escapes": "%00%ff%252e&#0;&lt;\\u0000\\x00",
}
TEXTS = tuple(NAUGHTY.values())
