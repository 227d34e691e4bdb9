"""The page on scale: what it says was only calculated is what its own measured figures come to."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from benchmarks.sizes import Size, project

PAGE = (settings.BASE_DIR / "docs/scale.md").read_text(encoding="utf-8")
MEASURED = 100_000


def number(text: str) -> int:
    return int(text.replace(",", ""))


def measured() -> list[Size]:
    """The table of bytes a row, as it stands on the page."""
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", PAGE, re.MULTILINE)
    sizes = []
    for name, count, total, table, indexes in rows:
        sizes.append(Size(name, number(count), number(table), {"all": number(indexes)}))
        assert sizes[-1].total == number(total), name
    return sizes


def test_the_sizes_of_more_people_are_the_measured_ones_multiplied(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = measured()
    assert {"users_profiles_user", "users_profiles_profile", "users_profiles_importrow"} <= {
        size.name for size in sizes
    }
    project(sizes, MEASURED)
    assert capsys.readouterr().out.strip() in PAGE


def test_the_times_for_more_people_are_the_measured_rates() -> None:
    for what in ("import of everybody", "export of everybody as CSV"):
        [(rate, ten, unit, hundred, unit_of_hundred)] = re.findall(
            rf"{what}.*, at ([\d,]+) rows a second \| ([\d.]+) (\w+).* \| ([\d.]+) (\w+)", PAGE
        )
        assert rate in PAGE.split("## Calculated")[0], "a rate that was measured"
        seconds = {"seconds": 1, "minutes": 60, "hours": 3600}
        assert float(ten) * seconds[unit] == pytest.approx(10_000_000 / number(rate), rel=0.05)
        assert float(hundred) * seconds[unit_of_hundred] == pytest.approx(100_000_000 / number(rate), rel=0.05)
