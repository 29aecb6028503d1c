"""Keys and encryption: the only place that imports cryptography.

Law: an existing store is opened with its own key or not at all; a key is made only for a store that is new.
"""

from relay.vault.certificates import expiry_of
from relay.vault.keyring import KEY_FILE, Keyring, NewKey
from relay.vault.vault import KEY_BYTES, Vault

__all__ = ["KEY_BYTES", "KEY_FILE", "Keyring", "NewKey", "Vault", "expiry_of"]
