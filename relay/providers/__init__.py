"""Built-in provider profiles, one data file each: `load_profiles() -> {name: Profile}`.

Law: a profile is data, in the very keys and texts of a `providers:` entry of the routing, and is checked like one.
"""

from relay.providers.profile import Profile as Profile
from relay.providers.profile import load_profiles as load_profiles
