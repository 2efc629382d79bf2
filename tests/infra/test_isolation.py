"""The proof that the migrated schema keeps tenants apart, by a solver and not by examples."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize("mode", ["cross-tenant", "write"])
def test_no_policy_lets_one_tenant_reach_anothers_rows(mode, database_urls):
    done = subprocess.run(
        [sys.executable, "-m", "pgrls", "verify", "--strict", "--mode", mode,
         "--schemas", "public", "--format", "json", "--database-url", database_urls.owner],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    verdicts = {table["verdict"] for table in json.loads(done.stdout)["tables"]}
    assert verdicts == {"isolated"}
