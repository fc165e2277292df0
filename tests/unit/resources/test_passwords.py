"""Which brought passwords are taken, and what is said of the others."""

from __future__ import annotations

import pytest

from fink_distribution.errors import Reason, Stalled
from fink_distribution.resources.passwords import brought_password


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"plain", "plain"),
        (b"plain\n", "plain"),
        (b"plain\r\n", "plain"),
        (b"with spaces ", "with spaces "),
        (b"\"'\\`$#!=:;", "\"'\\`$#!=:;"),
        ("\u00e9\u5bc6\u78bc".encode(), "\u00e9\u5bc6\u78bc"),
        ("\u05d0\u05d1".encode(), "\u05d0\u05d1"),
        (b"x" * 1024, "x" * 1024),
        (b"x" * 1024 + b"\n", "x" * 1024),
    ],
)
def test_taken(content: bytes, password: str) -> None:
    assert brought_password(content, "Secret s, key k,") == password


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\r\n", "is empty"),
        (b"a\n\n", "holds a control character"),
        (b"a\r", "holds a control character"),
        (b"a\x7f", "holds a control character"),
        (b"a\0b", "holds a control character"),
        (b" a", "begins with a space"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"\xed\xa0\x80", "is not UTF-8"),
        (b"x" * 1025, "is longer than 1024 bytes"),
        ("\u5bc6".encode() * 342, "is longer than 1024 bytes"),
        ("a\u00a0b".encode(), "a space other than the usual one"),
        ("a\u3000b".encode(), "a space other than the usual one"),
        ("a\u200bb".encode(), "a space other than the usual one"),
        ("a\u200db".encode(), "holds a control character"),
        ("a\u00adb".encode(), "an invisible character"),
        ("\ufeffbom".encode(), "holds a control character"),
        ("\ue000".encode(), "private areas"),
        ("\ufdd0".encode(), "no character"),
        ("\ufffd".encode(), "not for plain text"),
        ("\u2ff0".encode(), "describes others"),
        ("\u0340".encode(), "changes the direction"),
        ("\U000e0001".encode(), "tagging"),
        ("\U0001f600".encode(), "newer than Unicode 3.2"),
        ("e\u0301".encode(), "not in the form NFKC"),
        ("\ufb01".encode(), "not in the form NFKC"),
        ("a\u05d0".encode(), "mixes directions"),
        ("\u05d01".encode(), "mixes directions"),
    ],
)
def test_refused(content: bytes, message: str) -> None:
    with pytest.raises(Stalled, match=message) as refusal:
        brought_password(content, "Secret s, key k,")
    assert refusal.value.reason is Reason.PASSWORD_INVALID
    assert refusal.value.message.startswith("the password in Secret s, key k,")
