"""Built-in provider profiles, one data file each: `load_profiles() -> {name: Profile}`.

Law: a profile is data: settings in the very keys and texts of a `providers:` entry of the routing, and checked like
one; reply rules; and what the owner of a mailbox has to do next. A new provider needs no code.
"""

from relay.providers.profile import BadProfile as BadProfile
from relay.providers.profile import Profile as Profile
from relay.providers.profile import Shelf as Shelf
from relay.providers.profile import load_profiles as load_profiles
from relay.providers.profile import read_profile as read_profile
from relay.providers.profile import read_shelf as read_shelf
from relay.providers.steps import next_steps as next_steps
