"""The store on Redis: what is contested between nodes is decided in Lua, everything else by the engine."""
