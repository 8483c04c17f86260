// The official Node clients through every kind of call, told as JSON: what left each client, and what it got.
// node node_clients.mjs FOLDER_OF_THE_PACKAGES ORIGIN
import { createRequire } from "node:module";

const [folder, origin] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const { OpenAI } = require("openai");
const { Anthropic } = require("@anthropic-ai/sdk");

const sent = [];
const recording = (url, init) => {
  const headers = Object.fromEntries(new Headers(init.headers));
  sent.push({ path: new URL(url).pathname, method: init.method, body: init.body ?? "", headers });
  return fetch(url, init);
};
const openai = new OpenAI({ baseURL: `${origin}/v1`, apiKey: "k-openai", maxRetries: 0, fetch: recording });
const claude = new Anthropic({ baseURL: origin, apiKey: "k-anthropic", maxRetries: 0, fetch: recording });

const messages = [{ role: "user", content: "What is the capital of France? \u00e9\u{1F40C}" }];
const chat = { model: "gpt-4o-mini", messages };
const message = { model: "claude-sonnet-5", max_tokens: 64, messages };

const all = async (stream) => {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
};
const failure = async (promise) => {
  try {
    return await promise;
  } catch (error) {
    return { name: error.constructor.name, status: error.status, after: error.headers?.get("retry-after") };
  }
};
const aborted = async (stream, controller) => {
  let count = 0;
  for await (const event of stream) {
    if (++count === 4) controller.abort();
  }
  return count;
};
const leaving = new AbortController();

const calls = {
  chat: () => openai.chat.completions.create(chat),
  chat_stream: async () => all(await openai.chat.completions.create({ ...chat, stream: true })),
  chat_stream_with_usage: async () =>
    all(await openai.chat.completions.create({ ...chat, stream: true, stream_options: { include_usage: true } })),
  message: () => claude.messages.create(message),
  message_stream: () => claude.messages.stream(message).finalMessage(),
  embeddings: () => openai.embeddings.create({ model: "text-embedding-3-small", input: "hello" }),
  response: () => openai.responses.create({ model: "gpt-5-mini", input: "hi" }),
  response_stream: async () => all(await openai.responses.create({ model: "gpt-5-mini", input: "hi", stream: true })),
  limited: () => failure(openai.chat.completions.create(chat)),
  overloaded: () => failure(claude.messages.create(message)),
  aborted: async () =>
    aborted(
      await openai.chat.completions.create({ ...chat, stream: true }, { signal: leaving.signal }),
      leaving,
    ),
};

const got = {};
for (const [name, call] of Object.entries(calls)) got[name] = await call();
console.log(JSON.stringify({ sent, got }));
