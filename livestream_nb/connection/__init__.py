"""Staying connected: one patient connection per slot, and a journal of what became of it.

========================  ========================================================================
slot, queue               a slot does what the policy decides, when its turn has come
asking                    a request for the stream: token, reset, redirects, refusals
reading, unpacking        an open stream: packed bytes in, blocks of records out
watch                     is it still alive?
timeline, lane            what became of each connection
sentences                 the same in words
claim, floor, state       who may read the stream on this machine, and when it was last read
credentials, sources      who asks: a token, or a client that is given tokens
access, token_service     the token in use; the service that gives it
secret, sendable          what shows itself nowhere; what a header can carry
transport, network        httpx; proxies and certificates
keepalive, body,          dead peers; the beginning of an answer; what other libraries may log
discretion
========================  ========================================================================
"""
