"""Filters of subscriptions (https://cloud.google.com/pubsub/docs/subscription-message-filter).

Inferred (conformance: pubsub-filter-text): the text of a refusal.
"""

import re
from collections.abc import Callable, Mapping

from emulator.core.errors import invalid_argument

Filter = Callable[[Mapping[str, str]], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<sign>[()=:,.-]|!=)|(?P<quoted>\"(?:[^\"\\]|\\.)*\")|(?P<word>\w[\w-]*))"
)
_ESCAPE = re.compile(
    r"\\(?:(?P<hex>u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})|(?P<octal>[0-3][0-7]{2})|(?P<other>.))"
)
_CONTROL = {"n": "\n", "t": "\t", "r": "\r"}
MAX_FILTER_BYTES = 256


def parse(text: str) -> Filter:
    """Make a filter out of its text; an empty one lets every message pass.

    Raises:
        ApiError: 400, naming the position that can't be read.
    """
    if len(text.encode()) > MAX_FILTER_BYTES:
        raise invalid_argument(f"a filter has at most {MAX_FILTER_BYTES} bytes")
    return _Parser(text).whole() if text.strip() else lambda _: True


class _Parser:
    """Reads `NOT a AND b OR (c)`: terms joined by AND or by OR, one of them at a level."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._next = 0

    def _split(self) -> list[str]:
        tokens, position = [], 0
        while self._text[position:].strip():
            match = _TOKEN.match(self._text, position)
            if match is None:
                raise self._wrong(self._text[position:].strip())
            tokens.append(match[0].strip())
            position = match.end()
        return tokens

    def _wrong(self, token: str) -> Exception:
        return invalid_argument(f"invalid filter {self._text!r}: at {token!r}")

    def whole(self) -> Filter:
        found = self._joined()
        if self._next < len(self._tokens):
            raise self._wrong(self._tokens[self._next])
        return found

    def _joined(self) -> Filter:
        terms = [self._term()]
        sign = self._peek()
        while sign in ("AND", "OR") and self._peek() == sign:
            self._next += 1
            terms.append(self._term())
        every = sign != "OR"
        return lambda given: (all if every else any)(term(given) for term in terms)

    def _term(self) -> Filter:
        word = self._take()
        if word in ("NOT", "-"):
            inner = self._term()
            return lambda given: not inner(given)
        if word == "(":
            inner = self._joined()
            self._expect(")")
            return inner
        if word == "hasPrefix":
            self._expect("(")
            self._expect("attributes")
            key = self._key(".")
            self._expect(",")
            prefix = self._string()
            self._expect(")")
            return lambda given: given.get(key, "").startswith(prefix)
        if word != "attributes":
            raise self._wrong(word)
        return self._comparison()

    def _comparison(self) -> Filter:
        if self._peek() == ":":
            key = self._key(":")
            return lambda given: key in given
        key = self._key(".")
        sign = self._take()
        if sign not in ("=", "!="):
            raise self._wrong(sign)
        value = self._string()
        return lambda given: (given.get(key) == value) == (sign == "=")

    def _key(self, sign: str) -> str:
        self._expect(sign)
        word = self._take()
        return _unquoted(word)

    def _string(self) -> str:
        word = self._take()
        if not word.startswith('"'):
            raise self._wrong(word)
        return _unquoted(word)

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self) -> str:
        word = self._peek()
        if not word:
            raise self._wrong("its end")
        self._next += 1
        return word

    def _expect(self, word: str) -> None:
        found = self._take()
        if found != word:
            raise self._wrong(found)


def _unquoted(word: str) -> str:
    return _ESCAPE.sub(_unescaped, word[1:-1]) if word.startswith('"') else word


def _unescaped(match: re.Match[str]) -> str:
    if match["hex"]:
        return chr(int(match["hex"][1:], 16))
    if match["octal"]:
        return chr(int(match["octal"], 8))
    return _CONTROL.get(match["other"], match["other"])
