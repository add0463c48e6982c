import javax.jws.WebMethod;
import javax.jws.WebParam;
import javax.jws.WebService;
import javax.jws.soap.SOAPBinding;
import javax.xml.namespace.QName;
import javax.xml.soap.SOAPFactory;
import javax.xml.ws.Endpoint;
import javax.xml.ws.soap.SOAPFaultException;

/** JAX-WS RI: a class that is published as it is, rpc/literal; the program's argument is its address. */
@WebService(targetNamespace = "urn:layanan")
@SOAPBinding(style = SOAPBinding.Style.RPC)
public class Layanan {
    @WebMethod
    public Data gema(@WebParam(name = "data") Data data) {
        data.telepon = "kosong".equals(data.teks) ? "" : null;
        return data;
    }

    @WebMethod
    public String gagal(@WebParam(name = "alasan") String alasan) throws Exception {
        String envelope = "http://schemas.xmlsoap.org/soap/envelope/";
        throw new SOAPFaultException(
            SOAPFactory.newInstance().createFault(alasan, new QName(envelope, "Server.Sibuk")));
    }

    public static void main(String[] words) {
        Endpoint.publish(words[0], new Layanan());
    }
}
