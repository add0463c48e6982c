"""The SFTP server that the gateway offers, one account for each feed with an `account`.

It stands here, not in adapters/csv: it is a listener of the gateway's own, as the API's is, which starts and stops
with it, guards who comes in, and outlives every reload, while adapters come and go with the configuration. Of an
adapter it takes only what `gateway.offers` says: a folder, and whose a name is.
"""
