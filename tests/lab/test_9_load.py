"""The shop under load while phones go and images change: nothing that was acknowledged is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from labkit import NAME, Lab

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(lab: Lab) -> Iterator[Lab]:
    """Both stacks; the database is on a manager, so that a worker's loss does not take it along."""
    lab.lab_up()
    lab.configure()
    phones = lab.value("phones")
    label = phones["phone-4"].pop("labels")
    phones["phone-3"]["labels"] = label
    lab.configure(phones=phones)
    lab.up().ok()
    yield lab
    lab.destroy().ok()


def test_phones_lost_and_images_updated_lose_no_order(shop: Lab, tmp_path: Path) -> None:
    drill = ["drill", f"--lab={NAME}", "--users=20", f"--folder={tmp_path}"]
    printed = shop.tool("load_test", *drill).ok().output
    head, _, *rows = (
        [cell.strip() for cell in line.strip("| \n").split("|")]
        for line in (tmp_path / "drill.md").read_text().splitlines()
    )
    table = [dict(zip(head, row, strict=True)) for row in rows]
    assert len(table) == 5, printed
    for row in table:
        assert int(row["orders acknowledged"]) > 20
        assert row["orders lost"] == "0"
        assert row["items lost"].startswith("0")
        assert row["served again after"] != "not before it was undone"
    assert table[0]["what happened"] == "worker phone-4 stopped"
    shop.pulumi("preview", "--refresh", "--expect-no-changes").ok()
