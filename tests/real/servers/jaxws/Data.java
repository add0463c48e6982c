import javax.xml.bind.annotation.XmlSchemaType;
import javax.xml.datatype.XMLGregorianCalendar;

public class Data {
    public String teks;
    public int bulat;
    public java.math.BigDecimal pecahan;
    public boolean benar;
    @XmlSchemaType(name = "date")
    public XMLGregorianCalendar tanggal;
    public java.util.Date waktu;
    public byte[] berkas;
    public String telepon;
    public String[] daftar;
    public Orang[] orang;
}
