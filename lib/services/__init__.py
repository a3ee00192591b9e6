"""What the desk can do: quoting, ordering, syncing, reporting. May import providers, store, domain."""
