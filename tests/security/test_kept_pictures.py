"""Security checks B1 to B9 of a picture that a page carries along until another mistake on it is put right.

It lies nowhere but on that page, so there is nothing of somebody else's to ask for, and nothing to expire or to
clear away; what is sent is judged as any upload is.
"""

from __future__ import annotations

import base64
from random import Random
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from PIL import Image

from tests.archives import kept_in, stored_files
from tests.data import images
from tests.people import Browse
from users_profiles.models import User

EDIT = reverse("profile_edit")


def send_kept(client: Client, text: str) -> Any:
    """As a page does that has come back with a mistake, or as somebody does who makes up what it carries along."""
    return client.post(EDIT, {"avatar-kept": text})


def refusal(response: Any) -> str:
    return " ".join(response.context["form"].errors["avatar"])


@pytest.mark.parametrize("side", [4500, 12_000])
def test_b1_a_kept_picture_has_the_same_limits(stranger: User, browse: Browse, side: int) -> None:
    forged = base64.b64encode(images.bomb(side, side)).decode()
    assert "20 megapixels" in refusal(send_kept(browse(stranger), forged))
    assert stored_files() == set()


def test_b1_what_a_page_carries_along_is_bounded_by_what_a_form_may_weigh(stranger: User, browse: Browse) -> None:
    assert send_kept(browse(stranger), "A" * 3_000_000).status_code == 400
    worst = Image.frombytes("RGBA", (512, 512), Random(1).randbytes(4 * 512 * 512))
    response = browse(stranger).post(EDIT, {"avatar": images.upload(images.encoded(worst)), "phone_number": "12"})
    assert 100_000 < len(kept_in(response)) < 700_000
    assert send_kept(browse(stranger), kept_in(response)).status_code == 302


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "not base64 at all!",
        "\u202e\u0661",
        "../../avatars/somebody-elses.webp",
        "data:image/webp;base64,UklGRg==",
        base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>").decode(),
        base64.b64encode(images.picture("TIFF")).decode(),
        base64.b64encode(images.picture("WEBP")[:40]).decode(),
    ],
)
def test_b3_a_kept_picture_that_no_page_of_ours_has_is_refused(stranger: User, browse: Browse, text: str) -> None:
    response = send_kept(browse(stranger), text)
    assert "not a picture we can read" in refusal(response)
    assert kept_in(response) == ""
    assert stored_files() == set()


def test_b4_nothing_that_was_hidden_in_a_kept_picture_is_kept(stranger: User, browse: Browse) -> None:
    payload = b"<script>alert('hidden')</script>"
    forged = base64.b64encode(images.picture("WEBP") + payload).decode()
    response = browse(stranger).post(EDIT, {"avatar-kept": forged, "phone_number": "12"})
    assert payload not in base64.b64decode(kept_in(response))
    assert send_kept(browse(stranger), forged).status_code == 302
    for name in stored_files():
        with default_storage.open(name) as file:
            assert payload not in file.read()


def test_b9_a_picture_that_is_not_saved_yet_lies_nowhere_but_on_the_page_of_who_chose_it(
    stranger: User, editor: User, browse: Browse
) -> None:
    sent = {"avatar": images.upload(images.picture()), "phone_number": "12"}
    response = browse(stranger).post(EDIT, sent)
    assert kept_in(response)
    assert stored_files() == set()
    assert "no-store" in response["Cache-Control"]
    for person in (stranger, editor):  # also when the page is opened anew: there is nothing to be found by anybody
        assert kept_in(browse(person).get(EDIT)) == ""
