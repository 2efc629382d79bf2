"""graphql-eslint's recommended rules, and Relay's, over the schema and the operations we show."""

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


FAULTS = {
    "a value without an id": (
        "type Money {",
        'type Wallet { "How much." amount: Int! }\n\ntype Money {',
        "strict-id-in-types",
    ),
    "an edge of no node": ("  node: Lead!\n", "  node: Money!\n", "relay-edge-types"),
    "a name of another style": ("  totalCount: Int!", "  total_count: Int!", "naming-convention"),
}


@pytest.mark.parametrize(("right", "wrong", "rule"), FAULTS.values(), ids=FAULTS.keys())
async def test_the_rules_are_really_looked_at(packages, tmp_path, right, wrong, rule):
    text = SCHEMA.read_text(encoding="utf-8")
    assert right in text
    bad = tmp_path / "schema.graphql"
    bad.write_text(text.replace(right, wrong), encoding="utf-8")

    with pytest.raises(AssertionError, match=f"@graphql-eslint/{rule}"):
        await lint(packages, bad, schema=bad, root=tmp_path)
