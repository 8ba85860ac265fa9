"""Vendor jobs: batches that the vendor runs later, from their submit to the receipts of their items.

1. The submitter hands a batch over. Its entry in the journal names its records, which leave memory.
2. The follower asks the vendor which jobs are over. The finder looks for those whose submit got no answer.
3. The collector reads the results, reads the records again from Kafka, and settles them.

Steps 2 and 3 go by what the lanes of this process have in their journals, so they are the same after a restart.
"""
