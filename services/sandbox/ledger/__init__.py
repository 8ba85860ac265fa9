"""The ledger: a record of everything that a stand-in vendor has applied, for audits."""
