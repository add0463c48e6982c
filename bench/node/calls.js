// node-soap or strong-soap, called from JSON to JSON; the arguments are the package, the WSDL and what is sent.
// Each line of the input is one run; what it cost this process is a line of the output.
const { performance } = require("node:perf_hooks");
const readline = require("node:readline");

const [name, wsdl, sent] = process.argv.slice(2);

const opened = {
  soap: async (library) => {
    const client = await library.createClientAsync(wsdl);
    return async (operation, asked) => (await client[`${operation}Async`](asked, { forever: true }))[0];
  },
  "strong-soap": async ({ soap }) => {
    const client = await new Promise((done, failed) =>
      soap.createClient(wsdl, {}, (error, made) => (error ? failed(error) : done(made)))
    );
    const kept = [{ forever: true }, { Connection: "keep-alive" }];
    return async (operation, asked) => (await client[operation](asked, ...kept)).result;
  },
};

async function run(call, { operation, at_once, seconds, calls }) {
  const before = process.cpuUsage();
  const until = performance.now() + seconds * 1e3;
  let begun = 0;
  let last = "";
  async function turns() {
    while (begun < calls && performance.now() < until) {
      begun += 1;
      last = JSON.stringify(await call(operation, JSON.parse(sent.replace("@N", begun))));
    }
  }
  await Promise.all(Array.from({ length: at_once }, turns));
  const { user, system } = process.cpuUsage(before);
  return { calls: begun, cpu: (user + system) / begun, last };
}

async function main() {
  const call = await opened[name](require(name));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await run(call, JSON.parse(line))));
  }
  process.exit(0);
}

main();
