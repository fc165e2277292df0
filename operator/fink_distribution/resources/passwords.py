"""Passwords that people bring: which are taken as they are, and which are refused.

SCRAM asks clients to prepare a password by SASLprep (RFC 5802, RFC 4013). Kafka's own clients and librdkafka do not, they hash the
UTF-8 as it stands; others do (Go's xdg-go/scram, which Sarama uses). So only what SASLprep leaves as it is is taken: then all
clients hash the same bytes. A space in front is refused because librdkafka strips it from the values of its settings.
"""

from __future__ import annotations

import stringprep
import unicodedata
from collections.abc import Callable

from fink_distribution.errors import Reason, Stalled

MOST_BYTES = 1024

_PROHIBITED: tuple[tuple[Callable[[str], bool], str], ...] = (
    (stringprep.in_table_c21_c22, "a control character, such as a tab or a line break"),
    (stringprep.in_table_c12, "a space other than the usual one (U+0020)"),
    (stringprep.in_table_b1, "an invisible character, such as a soft hyphen or a zero-width space"),
    (stringprep.in_table_c3, "a character of Unicode's private areas"),
    (stringprep.in_table_c4, "a code point that is no character"),
    (stringprep.in_table_c5, "a surrogate"),
    (stringprep.in_table_c6, "a character that is not for plain text"),
    (stringprep.in_table_c7, "a character that describes others"),
    (stringprep.in_table_c8, "a character that changes the direction of text"),
    (stringprep.in_table_c9, "a tagging character"),
    (stringprep.in_table_a1, "a character newer than Unicode 3.2, such as an emoji"),
)


def brought_password(content: bytes, where: str) -> str:
    """Return the password that a Secret's entry holds.

    Exactly one trailing line break (LF or CRLF) is dropped: editors and `echo` add it.

    Parameters
    ----------
    content
        The bytes of the entry.
    where
        How to call the entry in a message.

    Raises
    ------
    Stalled
        With reason PasswordInvalid; the message never says where in the password the culprit stands, nor how long it is.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise _refused(where, "is not UTF-8") from None
    text = text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
    if problem := _problem(text):
        raise _refused(where, problem)
    return text


def _problem(text: str) -> str | None:
    if not text:
        return "is empty"
    if len(text.encode()) > MOST_BYTES:
        return f"is longer than {MOST_BYTES} bytes"
    if text.startswith(" "):
        return "begins with a space, which librdkafka leaves out"
    for is_prohibited, name in _PROHIBITED:
        if any(is_prohibited(character) for character in text):
            return f"holds {name}"
    if unicodedata.ucd_3_2_0.normalize("NFKC", text) != text:
        return "holds a character that Unicode also spells otherwise (it is not in the form NFKC)"
    return "mixes directions of writing (RFC 3454, section 6)" if _mixes_directions(text) else None


def _mixes_directions(text: str) -> bool:
    """Say whether text with right-to-left letters has others too, or does not begin and end with one."""
    if not any(map(stringprep.in_table_d1, text)):
        return False
    framed = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return any(map(stringprep.in_table_d2, text)) or not framed


def _refused(where: str, problem: str) -> Stalled:
    return Stalled(
        Reason.PASSWORD_INVALID,
        f"the password in {where} {problem}, so not all Kafka clients could log in with it. It must be UTF-8 of 1 to {MOST_BYTES} bytes that "
        "SASLprep (RFC 4013) leaves as it is, without a space in front; letters, digits and ASCII punctuation are always fine. One trailing line break is dropped. "
        "Correct the Secret; it is looked at again by itself.",
    )
