"""Looking through a store on Redis: what hangs on rows, against the rows.

Law: it writes nothing; what it finds says how it is mended, where rows say that.
"""

from relay.store.redis.inspection.whole import Inspection
from relay.store.redis.inspection.wrong import Wrong

__all__ = ["Inspection", "Wrong"]
