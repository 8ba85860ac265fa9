"""Answers of Bulk API 1.0 as the wire document shows them. salesforce_bulk.md §3"""

JOB = "750X00000000JOBIAA"
BATCH = "751X000000BATCHIAA"
_NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
_COUNTS = """<totalProcessingTime>0</totalProcessingTime><apiActiveProcessingTime>0</apiActiveProcessingTime>
 <apexProcessingTime>0</apexProcessingTime>"""


def job_xml(state: str = "Open", *, job: str = JOB, queued: int = 0, processed: int = 0) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?><jobInfo
   xmlns="{_NAMESPACE}">
 <id>{job}</id><operation>upsert</operation><object>Contact</object><createdById>005X0000000USERAAA</createdById>
 <createdDate>2024-11-21T09:28:59.000Z</createdDate><systemModstamp>2024-11-21T09:28:59.000Z</systemModstamp>
 <state>{state}</state><externalIdFieldName>Ext__c</externalIdFieldName><concurrencyMode>Serial</concurrencyMode>
 <contentType>CSV</contentType><numberBatchesQueued>{queued}</numberBatchesQueued>
 <numberBatchesInProgress>0</numberBatchesInProgress><numberBatchesCompleted>0</numberBatchesCompleted>
 <numberBatchesFailed>0</numberBatchesFailed><numberBatchesTotal>0</numberBatchesTotal>
 <numberRecordsProcessed>{processed}</numberRecordsProcessed><numberRetries>0</numberRetries>
 <apiVersion>59.0</apiVersion><numberRecordsFailed>0</numberRecordsFailed>{_COUNTS}
</jobInfo>"""


def batch_xml(
    state: str = "Queued",
    *,
    batch: str = BATCH,
    message: str = "",
    processed: int = 0,
    failed: int = 0,
    made: str = "2024-11-21T09:28:59.000Z",
) -> str:
    words = f"<stateMessage>{message}</stateMessage>" if message else ""
    return f"""<batchInfo
   xmlns="{_NAMESPACE}">
 <id>{batch}</id><jobId>{JOB}</jobId><state>{state}</state>{words}
 <createdDate>{made}</createdDate><systemModstamp>{made}</systemModstamp>
 <numberRecordsProcessed>{processed}</numberRecordsProcessed><numberRecordsFailed>{failed}</numberRecordsFailed>{_COUNTS}
</batchInfo>"""


def batches_xml(*batches: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><batchInfoList xmlns="{_NAMESPACE}">{"".join(batches)}</batchInfoList>'
    )


def result_csv(*rows: tuple[str, str, str, str]) -> bytes:
    """Return results as §3.7 shows them."""
    lines = [("Id", "Success", "Created", "Error"), *rows]
    return "".join(",".join(f'"{value}"' for value in line) + "\n" for line in lines).encode()
