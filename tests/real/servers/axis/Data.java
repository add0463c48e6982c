public class Data implements java.io.Serializable {
    public String teks;
    public int bulat;
    public java.math.BigDecimal pecahan;
    public boolean benar;
    public java.sql.Date tanggal;
    public java.util.Calendar waktu;
    public byte[] berkas;
    public String telepon;
    public String[] daftar;
    public Orang[] orang;
}
