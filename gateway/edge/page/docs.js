
"use strict";
const { api, problems } = JSON.parse(document.getElementById("data").textContent);
const WORDS = {
  id: {
    key: "Kunci API", find: "Cari layanan", other: "English", fields: "Isian", reply: "Jawaban", field: "Nama", kind: "Jenis",
    about: "Keterangan", example: "Contoh", tryit: "Coba", send: "Kirim", copy: "Salin", copied: "Tersalin", body: "Isi (JSON)",
    command: "Perintah", errors: "Kesalahan", code: "Kode", meaning: "Artinya", todo: "Yang harus dilakukan",
    read: "membaca saja; aman diulangi", write: "mengubah data; jangan diulang tanpa memeriksa", within: "dijawab paling lama {s} detik",
    path: "di alamat", query: "di kueri", none: "Tidak ada isian.", required: "wajib", nothing: "Tidak ada layanan yang cocok.",
    failed: "Tidak sampai ke gateway.", keyhint: "tidak disimpan",
    kinds: { string: "teks", integer: "bilangan bulat", number: "angka", boolean: "ya/tidak", array: "daftar", object: "objek" },
    formats: { date: "tanggal", "date-time": "waktu", time: "jam" }, max: "paling banyak {n} karakter", list: "daftar",
  },
  en: {
    key: "API key", find: "Find an operation", other: "Bahasa Indonesia", fields: "Fields", reply: "Answer", field: "Name", kind: "Type",
    about: "Description", example: "Example", tryit: "Try it", send: "Send", copy: "Copy", copied: "Copied", body: "Body (JSON)",
    command: "Command", errors: "Errors", code: "Code", meaning: "Meaning", todo: "What to do",
    read: "only reads; safe to repeat", write: "changes data; check before repeating", within: "answers within {s} seconds",
    path: "in the path", query: "in the query", none: "No fields.", required: "required", nothing: "No operation matches.",
    failed: "The gateway was not reached.", keyhint: "not stored",
    kinds: { string: "text", integer: "whole number", number: "number", boolean: "true/false", array: "list", object: "object" },
    formats: { date: "date", "date-time": "date and time", time: "time" }, max: "at most {n} characters", list: "list of",
  },
};
let language = "id";
const t = (name) => WORDS[language][name];

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return element;
}

function operations() {
  const found = [];
  for (const [path, methods] of Object.entries(api.paths))
    for (const [method, operation] of Object.entries(methods))
      found.push({ ...operation, path, method: method.toUpperCase(), agency: operation.tags[0], anchor: operation.operationId.replace("/", ".") });
  return found;
}

function kindOf(schema) {
  const kind = [].concat(schema.type || []).find((name) => name !== "null");
  if (kind === "array") return `${t("list")} ${kindOf(schema.items || {})}`;
  const parts = [t("formats")[schema.format] || t("kinds")[kind] || kind || ""];
  if (schema.maxLength) parts.push(t("max").replace("{n}", schema.maxLength));
  if (schema.pattern) parts.push(schema.pattern);
  if (schema.enum) parts.push(schema.enum.join(" · "));
  return parts.filter(Boolean).join("; ");
}

function flatten(schema, prefix = "") {
  const rows = [];
  const required = new Set(schema.required || []);
  for (const [name, field] of Object.entries(schema.properties || {})) {
    const path = prefix + name;
    const inner = field.type === "array" ? field.items || {} : field;
    if (!inner.properties || field.type === "array") rows.push({ path, schema: field, required: required.has(name) });
    if (inner.properties) rows.push(...flatten(inner, `${path}${field.type === "array" ? "[]" : ""}.`));
  }
  return rows;
}

function fieldTable(rows) {
  if (!rows.length) return make("p", { class: "nothing" }, t("none"));
  const line = ({ path, schema, required, place }) => {
    const example = (schema.examples || [])[0];
    return make("tr", {},
      make("td", {}, path, required ? make("span", { class: "must", title: t("required") }, "*") : null),
      make("td", { class: "kind" }, kindOf(schema), place ? ` (${t(place)})` : null),
      make("td", {}, [schema.title, schema.description].filter(Boolean).join(". ")),
      make("td", { class: "mono" }, example === undefined ? "" : typeof example === "string" ? example : JSON.stringify(example)));
  };
  const head = make("tr", {}, ["field", "kind", "about", "example"].map((name) => make("th", {}, t(name))));
  return make("div", { class: "scroll" }, make("table", { class: "fields" }, make("thead", {}, head), make("tbody", {}, rows.map(line))));
}

function copied(text) {
  const pre = make("pre", {}, text);
  const button = make("button", { type: "button", onclick: async () => {
    await navigator.clipboard.writeText(pre.textContent);
    button.textContent = t("copied");
  } }, t("copy"));
  return { box: make("div", { class: "copied" }, button, pre), say: (words) => { pre.textContent = words; button.textContent = t("copy"); } };
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function address(operation, inputs) {
  const value = (parameter) => inputs.get(parameter.name).value;
  const parameters = operation.parameters.filter((parameter) => inputs.has(parameter.name));
  let path = operation.path;
  for (const parameter of parameters.filter((one) => one.in === "path")) path = path.replace(`{${parameter.name}}`, encodeURIComponent(value(parameter)));
  const query = parameters.filter((one) => one.in === "query" && value(one) !== "").map((one) => `${encodeURIComponent(one.name)}=${encodeURIComponent(value(one))}`);
  return path + (query.length ? `?${query.join("&")}` : "");
}

function command(operation, url, body) {
  const lines = [`curl -X ${operation.method} ${quoted(location.origin + url)}`, `-H "Authorization: Bearer $KEY"`];
  if (body !== undefined) lines.push(`-H 'Content-Type: application/json'`, `-d ${quoted(body)}`);
  return lines.join(" \\\n  ");
}

function tryIt(operation) {
  const inputs = new Map();
  const rows = operation.parameters.filter((parameter) => parameter.in !== "header").map((parameter) => {
    const input = make("input", { value: parameter.example === undefined ? "" : parameter.example, autocomplete: "off" });
    inputs.set(parameter.name, input);
    return make("label", { class: "row" }, make("span", {}, parameter.name, parameter.required ? make("span", { class: "must" }, "*") : null), input);
  });
  const content = operation.requestBody && operation.requestBody.content["application/json"];
  const body = content && make("textarea", { spellcheck: "false", "aria-label": t("body") });
  if (body) {
    body.value = JSON.stringify(content.example, null, 2);
    body.rows = Math.min(24, body.value.split("\n").length + 1);
  }
  const line = copied("");
  const answer = make("pre", { hidden: true });
  const status = make("span", { class: "status", role: "status" });
  const draw = () => line.say(command(operation, address(operation, inputs), body && body.value));
  const send = async () => {
    const headers = { "Accept-Language": language };
    const key = document.getElementById("key").value;
    if (key) headers.Authorization = `Bearer ${key}`;
    if (body) headers["Content-Type"] = "application/json";
    const began = performance.now();
    try {
      const response = await fetch(address(operation, inputs), { method: operation.method, headers, body: body && body.value, cache: "no-store" });
      const text = await response.text();
      status.textContent = `${response.status} · ${Math.round(performance.now() - began)} ms · ${response.headers.get("X-Correlation-ID") || ""}`;
      status.className = `status ${response.ok ? "ok" : "no"}`;
      answer.textContent = pretty(text);
      answer.hidden = false;
    } catch {
      status.textContent = t("failed");
      status.className = "status no";
    }
  };
  for (const input of [...inputs.values(), body].filter(Boolean)) input.addEventListener("input", draw);
  draw();
  return [
    make("h3", {}, t("tryit")),
    make("div", { class: "try" }, rows, body, make("div", { class: "send" }, make("button", { type: "button", class: "main", onclick: send }, t("send")), status), answer),
    make("h3", {}, t("command")),
    line.box,
  ];
}

/* JSON.parse would round the agencies' decimals, so the text is only indented. */
function pretty(text) {
  let depth = 0, inText = false, out = "";
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (inText) {
      out += char;
      if (char === "\\") out += text[(at += 1)];
      else if (char === '"') inText = false;
    } else if (char === '"') { inText = true; out += char; }
    else if (char === "{" || char === "[") {
      const empty = text[at + 1] === (char === "{" ? "}" : "]");
      if (empty) { out += char + text[(at += 1)]; } else { depth += 1; out += `${char}\n${"  ".repeat(depth)}`; }
    } else if (char === "}" || char === "]") { depth -= 1; out += `\n${"  ".repeat(depth)}${char}`; }
    else if (char === ",") out += `,\n${"  ".repeat(depth)}`;
    else if (char === ":") out += ": ";
    else if (char.trim()) out += char;
  }
  return out;
}

function fill(box, operation) {
  const content = operation.requestBody && operation.requestBody.content["application/json"];
  const parameters = operation.parameters.filter((one) => one.in !== "header").map((one) => ({ path: one.name, schema: one.schema, required: one.required, place: one.in }));
  const answer = operation.responses["200"].content["application/json"];
  const deadline = t("within").replace("{s}", operation["x-deadline-seconds"]);
  box.append(
    make("div", { class: "facts" }, [operation.operationId, t(operation["x-safe"] ? "read" : "write"), deadline].map((fact) => make("span", { class: "fact" }, fact))),
    ...(operation.description ? [make("p", {}, operation.description)] : []),
    make("h3", {}, t("fields")),
    fieldTable([...parameters, ...(content ? flatten(content.schema) : [])]),
    ...tryIt(operation),
    make("h3", {}, t("reply")),
    fieldTable(flatten(answer.schema)),
    make("pre", {}, JSON.stringify(answer.example, null, 2)),
  );
}

function card(operation) {
  const inside = make("div", { class: "inside" });
  const path = make("span", { class: "path" }, operation.path.split(/(\{[^}]*\})/).map((part) => (part.startsWith("{") ? make("b", {}, part) : part)));
  const summary = make("summary", {}, make("span", { class: `method ${operation.method}` }, operation.method), path, make("span", { class: "title" }, operation.summary));
  const box = make("details", { class: "operation", id: operation.anchor, open: opened.has(operation.anchor) }, summary, inside);
  const toggle = () => {
    if (box.open && !inside.firstChild) fill(inside, operation);
    opened[box.open ? "add" : "delete"](operation.anchor);
  };
  box.addEventListener("toggle", toggle);
  if (box.open) toggle();
  return box;
}

const opened = new Set();

function errorTable() {
  const head = make("tr", {}, ["code", "code", "meaning", "todo"].map((name, at) => make("th", {}, at === 1 ? "HTTP" : t(name))));
  const rows = problems.map((one) => make("tr", {}, make("td", {}, one.code), make("td", { class: "mono short" }, one.status), make("td", {}, one[language][0]), make("td", {}, one[language][1])));
  return make("section", { class: "agency", id: "errors" }, make("h2", {}, t("errors")), make("div", { class: "scroll" }, make("table", { class: "fields" }, make("thead", {}, head), make("tbody", {}, rows))));
}

function draw() {
  const wanted = document.getElementById("find").value.trim().toLowerCase();
  const shown = operations().filter((one) => [one.path, one.summary, one.operationId, one.method].join(" ").toLowerCase().includes(wanted));
  const menu = document.getElementById("menu");
  const main = document.getElementById("main");
  document.documentElement.lang = language;
  document.title = `${api.info.title} · API`;
  document.getElementById("name").textContent = api.info.title;
  document.getElementById("version").textContent = api.info.version;
  document.getElementById("language").textContent = t("other");
  document.getElementById("find").placeholder = t("find");
  document.getElementById("key").placeholder = t("keyhint");
  for (const word of document.querySelectorAll("[data-t]")) word.textContent = t(word.dataset.t);
  const about = api.info.description.split("\n\n")[language === "id" ? 0 : 1] || api.info.description;
  const words = about.split(/(`[^`]*`)/).map((part) => (part.startsWith("`") ? make("code", {}, part.slice(1, -1)) : part));
  menu.replaceChildren();
  main.replaceChildren(make("p", { class: "about" }, words));
  for (const tag of api.tags) {
    const own = shown.filter((one) => one.agency === tag.name);
    if (!own.length) continue;
    menu.append(make("h2", {}, tag.description), ...own.map((one) => make("a", { href: `#${one.anchor}`, onclick: () => { document.getElementById(one.anchor).open = true; } }, one.summary)));
    main.append(make("section", { class: "agency" }, make("h2", {}, tag.description), own.map(card)));
  }
  if (!shown.length) main.append(make("p", { class: "nothing" }, t("nothing")));
  menu.append(make("h2", {}, t("errors")), make("a", { href: "#errors" }, t("errors")));
  main.append(errorTable());
}

document.getElementById("language").addEventListener("click", () => { language = language === "id" ? "en" : "id"; draw(); });
document.getElementById("find").addEventListener("input", draw);
opened.add(decodeURIComponent(location.hash.slice(1)));
draw();
