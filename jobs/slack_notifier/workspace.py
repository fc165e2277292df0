"""Who there is in a Slack workspace: channels and people by name, from lists that are read once and kept."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

LOG = logging.getLogger(__name__)
PAGE = 200  # what Slack recommends
KEPT_SECONDS = 600.0  # Slack allows some 20 of these calls a minute, and a large workspace has many pages
Names = Mapping[str, set[str]]


class UnknownRecipientError(Exception):
    """There is no channel or person of this name, or more than one."""


class Workspace:
    """Finds the id for a name. A name that is not in a list makes it read anew, if it has been kept for some time."""

    def __init__(self, web: WebClient, clock: Callable[[], float]) -> None:
        self._channels = _KeptNames(lambda: _channels(web), clock)
        self._people = _KeptNames(lambda: _people(web), clock)

    def find(self, recipient: str) -> str:
        """The id of `#channel`, or of the person whose real name or display name this is.

        Raises
        ------
        UnknownRecipientError
            Nobody or more than one has the name.
        slack_sdk.errors.SlackClientError, OSError, http.client.HTTPException, ValueError
            Slack refuses the list, or does not answer.
        """
        if recipient.startswith("#"):
            return _only(self._channels.ids(recipient[1:].lower()), f"channel {recipient}")
        return _only(self._people.ids(recipient), f"person {recipient}")

    def forget(self) -> None:
        """Read the lists anew when they are needed next: one of them was out of date."""
        self._channels.forget()
        self._people.forget()


class _KeptNames:
    def __init__(self, read: Callable[[], Names], clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._names: Names = {}
        self._good_until = float("-inf")

    def ids(self, name: str) -> set[str]:
        if name not in self._names and self._clock() >= self._good_until:
            self._names = self._read()
            self._good_until = self._clock() + KEPT_SECONDS
        return self._names.get(name, set())

    def forget(self) -> None:
        self._names = {}
        self._good_until = float("-inf")


def _only(ids: set[str], what: str) -> str:
    if not ids:
        raise UnknownRecipientError(f"There is no {what} that the app can see. Correct the name, or invite the app.")
    if len(ids) > 1:
        raise UnknownRecipientError(f"{len(ids)} have the name of the {what}. Use a name that only one has.")
    return next(iter(ids))


def _channels(web: WebClient) -> Names:
    """Name -> ids of all channels that are not archived; private ones if the app may list them."""
    try:
        return _by_name(_listed_channels(web, "public_channel,private_channel"))
    except SlackApiError as error:
        if error.response.get("error") != "missing_scope":
            raise
    LOG.info("Private channels cannot be found: the app lacks the scope groups:read")
    return _by_name(_listed_channels(web, "public_channel"))


def _listed_channels(web: WebClient, types: str) -> Iterator[tuple[str, str]]:
    for page in web.conversations_list(types=types, exclude_archived=True, limit=PAGE):
        for channel in page["channels"]:
            yield channel["name"], channel["id"]


def _people(web: WebClient) -> Names:
    return _by_name(
        (name, member["id"])
        for page in web.users_list(limit=PAGE)
        for member in _members(page)
        for name in _names(member)
    )


def _members(page: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (member for member in page["members"] if not member.get("deleted") and not member.get("is_bot"))


def _names(member: Mapping[str, Any]) -> set[str]:
    profile = member.get("profile", {})
    names = (member.get("real_name"), profile.get("real_name"), profile.get("display_name"))
    return {name for name in names if name}


def _by_name(pairs: Iterator[tuple[str, str]]) -> Names:
    found = defaultdict(set)
    for name, identity in pairs:
        found[name].add(identity)
    return dict(found)
