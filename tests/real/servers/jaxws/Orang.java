public class Orang {
    public String nama;
    public int umur;
}
