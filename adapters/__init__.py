"""The adapters that come with the gateway. Any other is named by its dotted name: the whole extension mechanism."""

from collections.abc import Mapping

BUILTIN: Mapping[str, str] = {
    "soap": "adapters.soap.adapter:SoapAdapter",
    "soap-no-wsdl": "adapters.soap.no_wsdl:SoapWithoutWsdl",
    "rest": "adapters.rest:RestAdapter",
    "csv": "adapters.csv.adapter:CsvAdapter",
}
"""Imported when an agency first asks for it: a gateway without SOAP needs no SOAP library in memory."""
