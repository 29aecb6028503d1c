-- The routing in force.

-- get_routing: The routing in force.
SELECT version, body FROM routing ORDER BY version DESC LIMIT 1;

-- add_routing: Puts a routing in force.
INSERT INTO routing (version, applied_at, body) VALUES (?, ?, ?);

-- set_routing: Replaces the body of the routing in force: its fingerprints changed, not its content.
UPDATE routing SET body = ? WHERE version = ?;

-- drop_old_routings: Old ones hold secrets; a few are kept for an admin who wants to go back.
DELETE FROM routing WHERE version <= ?;
