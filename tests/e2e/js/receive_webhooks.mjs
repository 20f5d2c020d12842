// A receiver of Wix webhooks with the official SDK. Standard input says what has arrived, as JSON:
// `body`, the receiver's `publicKey`, and the `handled` types. Standard output says what came of it.
import { readFileSync } from "node:fs";
import * as benefitPrograms from "@wix/benefit-programs";
import { AppStrategy, createClient, EventDefinition } from "@wix/sdk";
import { renameKeysFromRESTResponseToSDKResponse } from "@wix/sdk-runtime/rename-all-nested-keys";
import { transformRESTTimestampToSDKTimestamp } from "@wix/sdk-runtime/transformations/timestamp";
import { transformPaths } from "@wix/sdk-runtime/transformations/transform-paths";

const { body, publicKey, handled } = JSON.parse(readFileSync(0, "utf8"));

/** What the definitions that Wix generates for other modules do to an event. */
const generated = (event) =>
  renameKeysFromRESTResponseToSDKResponse(
    transformPaths(event, [
      {
        transformFn: transformRESTTimestampToSDKTimestamp,
        paths: [{ path: "entity.createdDate" }, { path: "metadata.eventTime" }],
      },
    ]),
  );

const define = (type) => EventDefinition(type, true, generated)();
const events = Object.fromEntries(handled.map((type) => [type, define(type)]));
const client = createClient({
  auth: AppStrategy({ appId: "app", publicKey }),
  modules: { ...benefitPrograms, events },
});

const calls = [];
for (const type of handled) client.events[type]((event) => calls.push({ type, event }));

/** All the definitions of events that the package brings along. */
const definitions = Object.entries(benefitPrograms).flatMap(([name, module]) =>
  Object.entries(module)
    .filter(([key, value]) => /^on[A-Z]/.test(key) || value?.__type === "event-definition")
    .map(([key]) => `${name}.${key}`),
);

async function outcome(run) {
  try {
    return await run();
  } catch (error) {
    return { error: error.message };
  }
}

const processed = await outcome(() => client.webhooks.process(body));
const request = new Request("https://receiver.example/", { method: "POST", body });
const requested = await outcome(() => client.webhooks.processRequest(request));
console.log(JSON.stringify({ processed, requested, calls, definitions }));
