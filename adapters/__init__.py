"""The adapters that come with the gateway; each speaks one protocol, or one agency's."""
