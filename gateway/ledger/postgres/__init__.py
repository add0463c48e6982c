"""The shared ledger: one PostgreSQL for several replicas."""

from gateway.ledger.postgres.ledger import PostgresLedger

__all__ = ["PostgresLedger"]
