// node-soap behind Node's own HTTP server; the arguments are the WSDL and the port.
const fs = require("node:fs");
const http = require("node:http");
const soap = require("soap");

const [wsdl, port] = process.argv.slice(2);

function gema({ data: { daftar, orang, ...data } }) {
  const telepon = { null: { telepon: null }, kosong: { telepon: "" } }[data.teks];
  const moments = { waktu: data.waktu.toISOString(), tanggal: data.tanggal.toISOString().slice(0, 10) };
  return { return: { ...data, ...moments, ...telepon, daftar, orang } };
}

function gagal({ alasan }) {
  throw { Fault: { faultcode: "Server.Sibuk", faultstring: alasan } };
}

const server = http.createServer((_, answer) => answer.writeHead(404).end());
server.listen(Number(port), "127.0.0.1", () =>
  soap.listen(server, "/layanan", { Layanan: { LayananPort: { gema, gagal } } }, fs.readFileSync(wsdl, "utf8"))
);
