"""Signing in by another service, through a real browser: our Content-Security-Policy must let people go there."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from playwright.sync_api import Browser, ConsoleMessage, expect

from tests.browser.helpers import arrive, press
from tests.sign_in_service import Service, provider, service
from users_profiles.models import User

__all__ = ["provider", "service"]  # fixtures


def test_somebody_goes_to_the_service_and_comes_back_signed_in_where_they_were_going(
    transactional_db: None, browser: Browser, live_server: Any, service: Service, stranger: User
) -> None:
    service.knows("stan", email=stranger.email, email_verified=True)
    context = browser.new_context(base_url=live_server.url)
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and message.location["url"].startswith(live_server.url):
            complaints.append(message.text)

    page = context.new_page()
    page.on("console", heard)
    page.goto(reverse("profile_edit"))
    page.get_by_role("link", name="Sign in with Example Login").click()
    page.wait_for_url(f"{service.address}/**")
    page.locator("input[name=sub]").first.fill("stan")
    press(page, "Authorize")
    arrive(page, reverse("profile_edit"))
    expect(page.get_by_label("First name")).to_have_value("Stan")
    context.close()
    assert not complaints
