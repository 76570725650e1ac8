# Copyright: (c) 2026, imds.azure contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/metadata/instance: the VM's document, parts of it by route, and `format=text`."""

from __future__ import annotations

from .. import errors, unevidenced
from ..document import NotFoundError, as_text, at_version, is_leaf, select
from ..message import Answer, json_body
from ..versions import VERSIONS
from .family import Call


def answer(call: Call) -> Answer:
    """The document, or the part that the route names, as the asked version shows it."""
    version = call.parameters.get("api-version", "")
    if version not in VERSIONS:
        return errors.BAD_VERSION
    form = call.parameters.get("format", "json").lower()
    if form not in ("json", "text"):
        return unevidenced.ANSWERS["format"]
    extended = call.parameters.get("extended", "").lower() == "true"
    shown = at_version(call.vm.document, version, extended)
    try:
        node = select(shown, call.route)
    except NotFoundError:
        return errors.NOT_FOUND
    if form == "text":
        return Answer(200, as_text(node).encode(errors="replace"), unevidenced.TEXT_TYPE)
    return unevidenced.ANSWERS["leaf"] if is_leaf(node) else Answer(200, json_body(node))


def answer_root(call: Call) -> Answer:
    """/metadata itself: a listing for traversal scripts. Every other path that no endpoint has ends here too."""
    if call.route:
        return unevidenced.ANSWERS["no_endpoint"]
    if call.parameters.get("api-version", "") not in VERSIONS:
        return errors.BAD_VERSION
    if call.parameters.get("format", "").lower() != "text":
        return unevidenced.ANSWERS["no_endpoint"]
    return Answer(200, unevidenced.ROOT_LISTING.encode(), unevidenced.TEXT_TYPE)
