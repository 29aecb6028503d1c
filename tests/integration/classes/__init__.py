"""Every reply class at every stage, through the real relay: what becomes of the mail, of its mailbox, and of others."""
