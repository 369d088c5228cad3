// The same case with the AWS SDK for JavaScript v3 and the mapping in code, under a plain loop over Lambda's Runtime API.

import http from "node:http";

import { ConnectCasesClient, CreateCaseCommand } from "@aws-sdk/client-connectcases";

const TEMPLATE_ID = "6800e67e-527f-4da6-96ec-4c60da8f3fe2";
const CHANNEL = "8df08078-a22e-4180-85c2-c2af3977a654";
const CONVERSATION_NOTES = "c1b87f1a-7323-491b-99f9-cbef0f69a4d0";
const OWNER = "78b7d0ac-8477-4ce0-8e4c-da11b43c589b";
const PRIORITY = "9ad9b9a2-5e78-454d-b065-a1c284cc4549";
const CHANNELS = { VOICE: "voice", CHAT: "chat", TASK: "task", EMAIL: "email" };

const cases = new ConnectCasesClient({});

const text = (id, stringValue) => ({ id, value: { stringValue } });

async function handler(event) {
  const { detail } = event;
  const created = await cases.send(
    new CreateCaseCommand({
      domainId: process.env.CASES_DOMAIN_ID,
      templateId: TEMPLATE_ID,
      clientToken: detail.contactId,
      fields: [
        text("title", "Call abandoned in the queue"),
        text("case_reason", "callback"),
        text(CONVERSATION_NOTES, `Waited from ${detail.queueInfo.enqueueTimestamp} to ${detail.disconnectTimestamp}`),
        text(CHANNEL, CHANNELS[detail.channel.toUpperCase()] ?? "other"),
        text(PRIORITY, "low"),
        { id: OWNER, value: { emptyValue: {} } },
        text("assigned_queue", detail.queueInfo.queueArn),
      ],
      tags: {
        source: event.source,
        trigger: "eventbridge",
        team: "service",
        "casebridge:key": detail.contactId,
      },
      performedBy: { customEntity: `casebridge/abandoned-call/${event.region}` },
    }),
  );
  return { caseId: created.caseId };
}

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: `/2018-06-01/runtime/invocation/${path}` }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
      response.on("error", reject);
    });
    request.setNoDelay(true);
    request.on("error", reject);
    request.end(body);
  });
}

for (;;) {
  const next = await call("GET", "next");
  const id = next.headers["lambda-runtime-aws-request-id"];
  try {
    await call("POST", `${id}/response`, JSON.stringify(await handler(JSON.parse(next.body))));
  } catch (error) {
    await call("POST", `${id}/error`, JSON.stringify({ errorType: error.name, errorMessage: error.message }));
  }
}
