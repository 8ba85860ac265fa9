"""The ledger: everything that a stand-in vendor has applied, for audits."""
