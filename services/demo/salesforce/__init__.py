"""The demo's story of Salesforce: clubs, players and ballots of baseball, delivered as jobs that outlive a writer."""
