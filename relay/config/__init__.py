"""The configuration: its schema, its defaults, loading with line numbers, references and reload.

Law: a file is checked whole; every problem has its place, and no problem is an exception.
For others: `loading.load_service`, `checking.check_config`, `service.ServiceConfig`; `routing.load_routing`,
`routing.RoutingLoader`; `watch.RoutingWatch`, `watch.read_parts_in`; `references.References`, `.fingerprints`;
`problems.Problem`, `problems.Loaded`, `problems.has_errors`; `schema` writes the JSON Schemas.
"""
