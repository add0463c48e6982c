"""SOAP 1.1 and 1.2 by a pinned WSDL: zeep loads it, our own strict codec runs."""
