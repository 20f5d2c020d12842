// Writes the request of each call of calls.mjs as JSON: its verb, its target and its body. Nothing is
// sent. The ids of the world come as JSON on standard input.
import { readFileSync } from "node:fs";
import { calls } from "./calls.mjs";
import { createClient } from "@wix/sdk";
import * as modules from "@wix/benefit-programs";

const world = JSON.parse(readFileSync(0));
const requests = {};

for (const [name, call] of Object.entries(calls)) {
  const fetch = async (url, { method, body }) => {
    const { pathname, search } = new URL(url);
    requests[name] = { verb: method, target: pathname + search, body: body ?? null };
    throw new Error("nothing is sent");
  };
  const auth = { getAuthHeaders: async () => ({ headers: {} }) };
  await call(createClient({ modules, auth, fetch }), world).catch(() => undefined);
}

process.stdout.write(JSON.stringify(requests));
