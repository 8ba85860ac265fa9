#!/usr/bin/env bash
# Publish a record without Sluice's library: any Kafka client in any language does it as this script does.
#
#     examples/publish.sh localhost:9092 crm.records acme '{"company_name": "Acme BV"}'
#
# It needs kafka-console-producer.sh on the PATH, which every Kafka distribution has in bin/. The key goes into the JSON
# as it is, so it must hold no quotes, backslashes or tabs here; a program encodes it properly.
#
# 1. The value is a RecordEvent in JSON: schemas/record-event.schema.json. Each event has an event_id of its own.
# 2. The message key is the ordering key, normally the key of the record: records that share it are applied in order.
# 3. The partition follows from the murmur2 hash of the message key, as in Java's clients, so that all publishers put a
#    key into the same partition. Clients on librdkafka (C, C++, .NET, Rust, Confluent's for Python and Go, and others)
#    hash differently by default: set partitioner=murmur2_random there.
# 4. Wait for all replicas (acks=all) and publish idempotently (enable.idempotence=true), so that Kafka keeps each
#    record once and in order. A header traceparent (W3C Trace Context) is optional; Sluice continues that trace.
set -euo pipefail

if [ $# -ne 4 ]; then
  echo "usage: $0 BOOTSTRAP_SERVERS TOPIC KEY DATA_AS_A_JSON_OBJECT" >&2
  exit 2
fi
servers=$1 topic=$2 key=$3 data=$4

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

event=$(tr -d '\n' << JSON
{"event_id": "$(random_hex 16)", "object": "group/company", "operation": "upsert", "key": "$key", "data": $data,
 "occurred_at": "$(date -u +%Y-%m-%dT%H:%M:%SZ)"}
JSON
)
traceparent="00-$(random_hex 16)-$(random_hex 8)-01"

# One line is one message: headers, key and value, with a tab between them.
printf 'traceparent:%s\t%s\t%s\n' "$traceparent" "$key" "$event" |
  kafka-console-producer.sh --bootstrap-server "$servers" --topic "$topic" --sync \
    --producer-property enable.idempotence=true --request-required-acks all \
    --property parse.headers=true --property parse.key=true
echo "published $key to $topic"
