// A receiver of Wix webhooks as its owner would write it: an HTTP server with the official SDK. The
// first line of standard input says what it knows, as JSON: the `publicKey` and the `handled` types.
// Standard output tells its port, and then what the handlers get, an event a line.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { AppStrategy, createClient, EventDefinition } from "@wix/sdk";

const [line] = await new Promise((resolve) =>
  createInterface({ input: process.stdin }).once("line", (text) => resolve([text])),
);
const { publicKey, handled } = JSON.parse(line);
const events = Object.fromEntries(handled.map((type) => [type, EventDefinition(type, true)()]));
const client = createClient({ auth: AppStrategy({ appId: "app", publicKey }), modules: { events } });
const tell = (document) => process.stdout.write(`${JSON.stringify(document)}\n`);
for (const type of handled) client.events[type]((event) => tell({ type, event }));

/** Process a body in one of the two ways that the SDK offers, by turns. */
let count = 0;
const processBody = (body) =>
  count++ % 2
    ? client.webhooks.process(body)
    : client.webhooks.processRequest(
        new Request("https://receiver.example/", { method: "POST", body }),
      );

const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  try {
    await processBody(body);
    response.statusCode = 200;
  } catch (error) {
    tell({ error: error.message });
    response.statusCode = 400;
  }
  response.end();
});
server.listen(0, "127.0.0.1", () => tell({ port: server.address().port }));
