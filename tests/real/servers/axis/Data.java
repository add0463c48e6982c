/** Lists have methods: Axis writes those of a public field without their array around them. */
public class Data implements java.io.Serializable {
    public String teks;
    public int bulat;
    public java.math.BigDecimal pecahan;
    public boolean benar;
    public java.util.Date tanggal;
    public java.util.Calendar waktu;
    public String telepon;
    private byte[] berkas;
    private String[] daftar;
    private Orang[] orang;

    public byte[] getBerkas() {
        return berkas;
    }

    public void setBerkas(byte[] berkas) {
        this.berkas = berkas;
    }

    public String[] getDaftar() {
        return daftar;
    }

    public void setDaftar(String[] daftar) {
        this.daftar = daftar;
    }

    public Orang[] getOrang() {
        return orang;
    }

    public void setOrang(Orang[] orang) {
        this.orang = orang;
    }
}
