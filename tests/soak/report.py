"""What it was like: how many requests, how many without an answer, how long they took, what was broken meanwhile."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.soak.browser import AWAY, ERROR, NONE, OK, Timed


@dataclass
class Report:
    """The figures of one run. ``wrong`` is empty when the product has kept its word."""

    seed: int
    seconds: float
    broken: dict[str, int]
    happened: dict[str, int]
    requests: dict[str, dict[str, Any]]
    wrong: list[str] = field(default_factory=list)
    complaints: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"seed {self.seed}, {self.seconds:.0f} seconds under load", ""]
        lines.append(f"{'':<18}{'requests':>9}{'failed':>8}{'median':>9}{'p95':>9}{'p99':>9}  milliseconds")
        for what, found in self.requests.items():
            failed = f"{found['failed_percent']:.1f}%"
            times = "".join(f"{found[name]:>9,.0f}" for name in ("median", "p95", "p99"))
            lines.append(f"{what:<18}{found['count']:>9,}{failed:>8}{times}")
        for title, counts in (("Broken", self.broken), ("Done", self.happened), ("In the logs", self.complaints)):
            lines += ["", title, *(f"{count:>9,}  {what}" for what, count in counts.items())]
        lines += ["", "WRONG" if self.wrong else "Nothing lost, nothing doubled, nothing half done.", *self.wrong]
        return "\n".join(lines)


def figures(requests: list[Timed]) -> dict[str, dict[str, Any]]:
    """Per kind of request, and of all: how many, how many failed and how, and how long those took that did not."""
    kinds = sorted({one.what for one in requests})
    found = {kind: _figures([one for one in requests if one.what == kind]) for kind in kinds}
    return {**found, "all": _figures(requests)}


def _figures(requests: list[Timed]) -> dict[str, Any]:
    outcomes = Counter(one.outcome for one in requests)
    times = sorted(one.seconds * 1_000 for one in requests if one.outcome == OK) or [0.0]
    cuts = statistics.quantiles(times, n=100, method="inclusive") if len(times) > 1 else times * 99
    failed = len(requests) - outcomes[OK]
    return {
        "count": len(requests),
        "no_answer": outcomes[NONE],
        "told_to_try_again": outcomes[AWAY],
        "errors": outcomes[ERROR],
        "failed_percent": round(100 * failed / max(1, len(requests)), 2),
        "median": round(cuts[49], 1),
        "p95": round(cuts[94], 1),
        "p99": round(cuts[98], 1),
    }
