"""Recording a stream: a spool of what came, sealed into a Parquet dataset; and reading it back.

A recording is a folder::

    recording.json                      of which stream, with which columns, made by what; no secret
    writer.lock                         held by the one process that records
    spool/00000042.spool                what came last, as it came: see `spool`
    hits/date=2026-11-26/hour=05/00000041.parquet       sealed hits, sorted by receivedTimeGMT
    raw/date=2026-11-26/hour=05/00000041.ndjson.zst     their records, in the same order
    journal/2026-11-26/seconds.parquet                  counters, states, repeats: see `journal`
    quarantine/00000041.parquet                         records that were no hits

The law that everything rests on: **while a segment is in the spool, nothing else with its number
counts**. Sealing writes all that a segment becomes, each file aside, synced, and renamed, and
removes the segment last. Whoever is killed in between leaves a segment that is sealed again, over
whatever was there; whoever reads meanwhile takes the segment, and not the files of its number.
"""
