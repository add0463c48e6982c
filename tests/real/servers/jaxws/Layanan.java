import javax.jws.WebMethod;
import javax.jws.WebParam;
import javax.jws.WebService;
import javax.jws.soap.SOAPBinding;
import javax.xml.namespace.QName;
import javax.xml.soap.SOAPException;
import javax.xml.soap.SOAPFactory;
import javax.xml.soap.SOAPFault;
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
    public String gagal(@WebParam(name = "alasan") String alasan) {
        throw new SOAPFaultException(fault(alasan));
    }

    private static SOAPFault fault(String text) {
        try {
            String envelope = "http://schemas.xmlsoap.org/soap/envelope/";
            return SOAPFactory.newInstance().createFault(text, new QName(envelope, "Server.Sibuk"));
        } catch (SOAPException error) {
            throw new IllegalStateException(error);
        }
    }

    public static void main(String[] words) {
        Endpoint.publish(words[0], new Layanan());
    }
}
