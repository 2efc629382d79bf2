"""What tenants and bearers may spend, by the cost of operations, shared by all processes."""

from infra.cost_buckets.bucket import Bucket, Lease, Quota
from infra.cost_buckets.ledger import Ledger
from infra.cost_buckets.purse import Purse
from infra.cost_buckets.purses import Account, CostBuckets

__all__ = ["Account", "Bucket", "CostBuckets", "Lease", "Ledger", "Purse", "Quota"]
