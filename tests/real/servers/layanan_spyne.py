"""spyne: classes that it makes a WSDL of, document/literal; the argument is its port."""

import sys
from wsgiref.simple_server import make_server

from spyne import (
    Application,
    Boolean,
    ByteArray,
    ComplexModel,
    Date,
    DateTime,
    Decimal,
    Fault,
    Integer32,
    ServiceBase,
    Unicode,
    rpc,
)
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication


class Orang(ComplexModel):
    """An element of a list."""

    __namespace__ = "urn:layanan"
    nama = Unicode
    umur = Integer32


class Data(ComplexModel):
    """A value of each kind."""

    __namespace__ = "urn:layanan"
    _type_info = (
        ("teks", Unicode),
        ("bulat", Integer32),
        ("pecahan", Decimal),
        ("benar", Boolean),
        ("tanggal", Date),
        ("waktu", DateTime),
        ("berkas", ByteArray),
        ("telepon", Unicode),
        ("daftar", Unicode(max_occurs="unbounded")),
        ("orang", Orang.customize(max_occurs="unbounded")),
    )


class Layanan(ServiceBase):
    """One echo, and one that fails."""

    @rpc(Data, _returns=Data, _out_variable_name="return")
    def gema(self, data):
        """Return what came."""
        data.telepon = "" if data.teks == "kosong" else None
        return data

    @rpc(Unicode, _returns=Unicode, _out_variable_name="return")
    def gagal(self, alasan):
        """Fail."""
        raise Fault("Server.Sibuk", alasan)


application = Application([Layanan], "urn:layanan", in_protocol=Soap11(), out_protocol=Soap11())
make_server("127.0.0.1", int(sys.argv[1]), WsgiApplication(application)).serve_forever()
