"""Where a checkout is, and where it keeps what it makes up for itself."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCAL = ROOT / ".local"
"""Secrets, keys, mail, the demo's data."""
