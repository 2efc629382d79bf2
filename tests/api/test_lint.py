"""graphql-eslint's recommended rules, and Relay's, over the schema and the operations we show."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.node import installed, node

CLIENTS = Path(__file__).parent / "clients"
SCHEMA = ROOT / "api" / "schema.graphql"
OPERATIONS = [ROOT / "api" / "operations", CLIENTS / "operations"]

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def packages():
    return installed(CLIENTS)


async def lint(packages: Path, *paths: Path, schema: Path = SCHEMA, root: Path = ROOT) -> str:
    """Lint files under a folder; fail with what the linter says, if it does."""
    documents = ":".join(str(path / "*.graphql") for path in paths if path.is_dir())
    program = packages / "node_modules" / ".bin" / "eslint"
    config = ("--config", str(packages / "eslint.config.mjs"))
    told = await node(
        root, str(program), *config, *map(str, paths), SCHEMA=str(schema), DOCUMENTS=documents
    )
    return told.strip()


async def test_the_schema_keeps_the_recommended_and_the_relay_rules(packages):
    assert await lint(packages, SCHEMA) == ""


@pytest.mark.parametrize("operations", OPERATIONS, ids=["documented", "of our tests"])
async def test_our_operations_keep_the_recommended_rules(packages, operations):
    assert await lint(packages, operations) == ""


# Each fault by the rule that must find it.
FAULTS = {
    "strict-id-in-types": (
        "type Money {",
        'type Wallet { "How much." amount: Int! }\n\ntype Money {',
    ),
    "relay-edge-types": ("  node: Lead!\n", "  node: Money!\n"),
    "naming-convention": ("  totalCount: Int!", "  total_count: Int!"),
}


async def test_the_rules_are_really_looked_at(packages, tmp_path):
    text = SCHEMA.read_text(encoding="utf-8")
    for right, wrong in FAULTS.values():
        assert right in text
        text = text.replace(right, wrong)
    bad = tmp_path / "schema.graphql"
    bad.write_text(text, encoding="utf-8")

    with pytest.raises(AssertionError) as told:
        await lint(packages, bad, schema=bad, root=tmp_path)

    assert set(FAULTS) <= set(re.findall(r"@graphql-eslint/([\w-]+)", str(told.value)))
