"""Commands in, responses out: dispatcher, decoder, loader and access to rows."""
