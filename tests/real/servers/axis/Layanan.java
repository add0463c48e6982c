/** Axis 1.4: a class that SimpleAxisServer offers as it is; its WSDL is made on the way, rpc/encoded. */
public class Layanan {
    public Data gema(Data data) {
        data.telepon = "kosong".equals(data.teks) ? "" : null;
        return data;
    }

    public String gagal(String alasan) throws org.apache.axis.AxisFault {
        throw new org.apache.axis.AxisFault("Server.Sibuk", alasan, null, null);
    }
}
