"""What a store does, whatever keeps it: every decision beside the schedule, over a ledger of named statements."""
