"""Depot: an invented vendor that runs batches later, with its stand-in and its kind, as an example.

Its wire. A parcel is a JSON object with a ``name``. An ``upsert`` sets the parcel of that name; an ``insert`` adds one.

=================================  =================================================================================
``POST /jobs``                     201 ``{"id": …}``: a job that takes rows
``PUT /jobs/ID/rows``              204: the whole body, one parcel a line; a second one replaces the first. 422
                                   ``{"error": "too-long"}`` for a line over 300 bytes: none is taken
``POST /jobs/ID/start``            204: from now on the job may run, and runs after a while; 409 unless it takes rows
``POST /jobs/ID/abort``            204: it runs no more; does nothing to one that is over
``GET /jobs``                      200 with all jobs: id, state (``open``, ``waiting``, ``done``, ``aborted``), counts
``GET /jobs/ID/rows``              200: the body as it was put
``GET /jobs/ID/results``           200: one line for each parcel, in their order: ``{"stored": true}``, or an ``error``;
                                   ``{}`` for one that an aborted job has not reached. 409 before it is over
=================================  =================================================================================

Each of these answers says in ``Jobs-Left`` how many jobs may still be made today, and of how many: ``97/100``.
401 without the key in ``Authorization``. A job that is not known is answered 404 with ``{"error": …}``.
"""
