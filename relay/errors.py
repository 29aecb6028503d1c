"""The one tree of errors; a class's docstring is its default message, and temporary or permanent is a type."""


class RelayError(Exception):
    """something went wrong in the relay"""

    def __init__(self, text: str | None = None) -> None:
        super().__init__(text or (type(self).__doc__ or "").strip())


class TemporaryError(RelayError):
    """this may work later"""


class PermanentError(RelayError):
    """this will not work however often it is tried"""


class StoreError(TemporaryError):
    """the store cannot do this now"""


class StoreUnavailable(StoreError):
    """the store is away"""

    is_unknown = False
    """Whether what was asked may have been done all the same."""


class StoreSilent(StoreUnavailable):
    """the store did not say whether it has done this"""

    is_unknown = True


class StoreNotDurable(StoreUnavailable):
    """the store could lose what it has accepted"""


class StoreReplaced(StoreUnavailable):
    """this is another store than the one that was used before"""


class MessageUnreadable(StoreUnavailable):
    """this one message cannot be read now"""


class StoreFull(StoreError):
    """no space is left for mail"""


class StoreBroken(PermanentError):
    """the store cannot be used and needs repair"""


class StoreKeyError(StoreBroken):
    """the key of this store is missing or is another one"""


class StoreTooNew(StoreBroken):
    """the store was written by a newer relay"""


class StoreMoved(StoreBroken):
    """the store was moved to another place, or is not all here yet"""


class NodeInUse(StoreBroken):
    """another process runs as this node"""


class NodeOutlived(NodeInUse):
    """another process has begun to run as this node, and this one may decide nothing more"""


class StaleRouting(TemporaryError):
    """a newer routing was applied; load it from the store"""


class DataDirInUse(PermanentError):
    """another relay uses this data_dir"""


class CorruptValue(PermanentError):
    """an encrypted value does not open with this key at this place"""


class ConfigError(PermanentError):
    """the configuration is not valid"""


class UnknownAccount(PermanentError):
    """the routing has no such account"""


class AddressError(PermanentError):
    """this is not an e-mail address"""
