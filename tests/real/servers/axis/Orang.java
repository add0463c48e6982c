public class Orang implements java.io.Serializable {
    public String nama;
    public int umur;
}
