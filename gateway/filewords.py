"""The words for what is wrong with a file that an agency drops, or with a row of it, in Indonesian and English."""

from collections.abc import Mapping

FILES: Mapping[str, tuple[str, str]] = {
    "columns": (
        "jumlah kolom {found}, seharusnya {expected}",
        "has another number of columns: {found}, not {expected}",
    ),
    "quote": ("tanda kutip rusak", "has a broken quote"),
    "header": ("judul kolom berbeda: {difference}", "the header differs: {difference}"),
    "no-header": (
        "tidak satu pun judul kolom {columns} di baris pertama; judul tidak ada, pemisah lain, atau ini berkas lain",
        "the first line has none of the columns {columns}: no header, another separator, or another file",
    ),
    "double-key": (
        "kunci sama dengan baris {number}, isinya berbeda",
        "has the key of row {number}, but other content",
    ),
    "unfinished": (
        "berkas belum selesai ditulis (berubah saat dibaca); salin lagi",
        "the file is not completely written (it changed while being read); copy it again",
    ),
    "unclosed": (
        (
            "berkas mungkin belum selesai ditulis: baris terakhir tidak ditutup dengan ganti baris; salin lagi, atau "
            "simpan lagi dari aplikasi spreadsheet; bila ekspornya selalu begini, minta staf TI memakai "
            'ready = "rename" atau "marker"'
        ),
        (
            "the file may be not completely written: its last line has no line break; copy it again, or save it again "
            'from a spreadsheet program; where the export always ends so, have it use ready = "rename" or "marker"'
        ),
    ),
    "max-reject": (
        "{rejected} dari {total} baris ditolak; paling banyak {max}",
        "{rejected} of {total} rows rejected; at most {max}",
    ),
    "shrunk": (
        "menyusut dari {before} menjadi {after} baris",
        "shrank from {before} rows to {after}",
    ),
    "changed-after": (
        "berubah setelah {rows} barisnya diteruskan (tanda terima {receipt}); taruh sisanya sebagai berkas lain",
        "changed after {rows} of its rows were forwarded (receipt {receipt}); drop the others as another file",
    ),
    "not-accepted": (
        "berkas asal baris-baris ini ditolak seluruhnya atau tidak pernah diterima; kirim berkas lengkap",
        "the file that these rows mend was refused whole, or never was; send a complete file",
    ),
    "row-lost": (
        "tidak jelas lagi baris mana ini dahulu (_baris dan _berkas rusak saat diperbaiki); perbaiki berkas sebelumnya",
        "does not say which row it was, as _baris and _berkas broke while it was mended; mend the file before again",
    ),
    "key-taken": (
        "kuncinya sudah ada dengan isi lain; berkas ini hanya boleh menambah",
        "has a key that is there already with other content; this file may only add",
    ),
    "empty-file": (
        "berkas kosong, tanpa judul kolom dan tanpa isi; ekspor lagi",
        "the file is empty, without a header and without rows; export it again",
    ),
    "no-rows": (
        "hanya berisi judul kolom, tanpa satu baris pun, padahal data yang dipakai {before} baris",
        "holds a header and no row at all; rows in use: {before}",
    ),
    "kind": (
        "isinya {expected}, bukan teks CSV; simpan sebagai CSV, atau dengan akhiran nama yang benar",
        "is {expected} and no CSV text; save it as CSV, or under the ending that it should have",
    ),
    "old-excel": (
        "berkas Excel lama (.xls) atau terkunci kata sandi; simpan sebagai .xlsx tanpa kata sandi",
        "is an old Excel file (.xls), or locked by a password; save it as .xlsx without one",
    ),
    "no-excel": (
        "gateway ini belum dapat membaca Excel; simpan sebagai CSV, atau hubungi operator gateway",
        "this gateway can't read Excel files (its operator installs the extra: make .venv/excel); save it as CSV",
    ),
    "no-sheet": ('tidak ada lembar (sheet) bernama "{sheet}"', 'has no sheet "{sheet}"'),
    "sheet-broken": (
        "berkas Excel terpotong atau rusak; simpan lagi, lalu salin lagi",
        "the spreadsheet is cut short or broken; save and copy it again",
    ),
    "sheet-too-large": (
        "lembar Excel terlalu besar (paling banyak {most} sel); hapus baris kosong yang berformat, atau kirim CSV",
        "the sheet is too large (at most {most} cells); delete blank rows that bear a format, or send CSV",
    ),
    "packed-broken": (
        "arsip .zip atau .gz terpotong atau rusak; buat dan salin lagi",
        "the .zip or .gz is cut short or broken; make and copy it again",
    ),
    "packed-bomb": (
        "isi arsip terlalu besar (lebih dari {most}); kirim berkasnya tanpa dimampatkan",
        "holds too much (over {most}); send the file unpacked",
    ),
    "packed-encrypted": (
        "arsip .zip terkunci kata sandi; buat tanpa kata sandi",
        "the .zip is locked by a password; make it without one",
    ),
    "packed-members": (
        "arsip .zip berisi {found} berkas data, seharusnya tepat satu",
        "the .zip holds {found} data files instead of exactly one",
    ),
    "packed-nested": (
        "arsip berisi arsip lagi ({name}); kirim berkasnya langsung",
        "holds another archive ({name}); send the file itself",
    ),
    "number-cell": (
        "tersimpan sebagai angka, dan Excel hanya menyimpan 15 digit; jadikan kolom bertipe Teks, lalu isi ulang",
        "is a number, of which Excel keeps 15 digits; make the column Text and fill it in again",
    ),
    "cell-error": ("berisi kesalahan Excel ({error})", "holds an error of Excel's ({error})"),
    "cell-no-value": (
        "berisi rumus yang belum dihitung; buka berkas di Excel, simpan, lalu kirim lagi",
        "holds a formula that was never calculated; open the file in Excel, save it and send it again",
    ),
    "decimals": ("paling banyak {most} angka di belakang koma", "has more than {most} digits behind the point"),
    "superseded": (
        "ini perbaikan untuk berkas yang sudah diganti berkas lain, atau tidak pernah diterima; kirim berkas lengkap",
        "mends rows of a file that another has replaced by now, or that was never taken; send a complete file",
    ),
    "mends-unknown": (
        "kolom _berkas kosong atau berubah, jadi tidak jelas berkas mana yang diperbaiki; isi lagi seperti semula",
        "its column _berkas is empty or changed, so nobody can tell which file it mends; fill it in as it was",
    ),
    "text-in-sheet": (
        "isinya teks CSV, bukan berkas Excel; ganti akhiran namanya menjadi .csv, atau simpan sebagai Excel (.xlsx)",
        "holds CSV text and is no spreadsheet; let its name end in .csv, or save it as .xlsx",
    ),
    "begun-anew": (
        "dibaca ulang dari awal, karena isinya atau tabelnya berubah sebelum selesai",
        "was begun anew, as its content or its mapping changed before it was done",
    ),
    "no-trailer": (
        'baris penutup "{trailer}" tidak ada; berkas mungkin terpotong',
        'the last row "{trailer}" is missing; the file may be cut short',
    ),
    "trailer-early": (
        "masih ada baris setelah baris penutup (baris {number}); mungkin dua berkas digabung",
        "there are rows after the last one (row {number}); two files may be in one",
    ),
    "intake": ("gagal diolah karena kesalahan gateway ({error})", "could not be taken in: a bug ({error})"),
    "rounded-number": (
        "sudah dibulatkan aplikasi spreadsheet, digitnya hilang; jadikan kolom bertipe Teks, lalu isi ulang",
        "was rounded by a spreadsheet; make the column Text and fill it in again",
    ),
}

FOR_CLERKS: Mapping[str, str] = {
    "pattern": "bentuknya lain dari yang diminta; lihat isi kolom ini di baris yang diterima"
}
"""What a clerk reads in place of words that are for who wrote the mapping."""

SHORT: Mapping[str, str] = {
    "required": "kosong",
    "digits": "jumlah digit",
    "digits-around": "spasi atau tanda petik di sekitar angka",
    "not-accepted": "berkas asalnya ditolak",
    "request-unknown": "nomor tidak dikenal",
    "request-cancelled": "permintaan dibatalkan",
    "request-not-handed-over": "permintaan belum dikirim",
    "request-contradicts": "berlawanan dengan jawaban sebelumnya",
    "pattern": "bentuk tidak sesuai",
    "max": "terlalu panjang",
    "codes": "kode tidak dikenal",
    "date": "tanggal",
    "number": "angka",
    "number-group": "angka tanpa pemisah ribuan",
    "integer": "bilangan bulat",
    "bool": "pilihan tidak dikenal",
    "columns": "jumlah kolom",
    "quote": "tanda kutip rusak",
    "encoding": "kode huruf",
    "double-key": "kunci ganda",
    "row-lost": "asal baris tidak jelas",
    "key-taken": "kunci sudah ada",
    "rounded-number": "angka dibulatkan",
    "number-cell": "sel bertipe angka",
    "cell-error": "kesalahan Excel",
    "cell-no-value": "rumus belum dihitung",
    "decimals": "angka di belakang koma",
}
"""What a clerk reads where rows are counted by rule."""
