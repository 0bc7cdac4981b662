import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./load.mjs";

const { Connection } = await load("live/connection.ts");

class FakeSocket {
  static OPEN = 1;
  static newest;
  readyState = 1;
  sent = [];
  constructor() {
    FakeSocket.newest = this;
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.onclose();
  }
  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
}

let connection, told;

beforeEach(() => {
  Object.assign(globalThis, { WebSocket: FakeSocket, location: { protocol: "http:", host: "localhost" } });
  globalThis.addEventListener = () => undefined;
  globalThis.document = { addEventListener: () => undefined, visibilityState: "visible" };
  globalThis.fetch = () => new Promise(() => undefined);
  connection = new Connection();
  told = [];
  connection.onState = (state) => told.push(state);
  connection.onRefresh = () => told.push("refresh");
});

function end() { // its timers would keep the test alive
  for (const name of ["timer", "pingTimer", "pollTimer", "upgradeTimer"]) clearTimeout(connection[name]);
}

test("it is live when the server has heard what it is asked for, and everything is asked for again then", () => {
  const heard = [];
  connection.subscribe("jobs", (data) => heard.push(data));
  connection.start();
  const socket = FakeSocket.newest;
  socket.onopen();
  assert.deepEqual(socket.sent, [{ type: "subscribe", topics: ["jobs"] }]);
  assert.deepEqual(told, [], "what happens now is told to nobody");
  socket.say({ type: "subscribed", topics: ["jobs"] });
  assert.deepEqual(told, ["websocket", "refresh"]);
  socket.say({ type: "event", topic: "jobs", data: 7 });
  assert.deepEqual([heard, told.length], [[7], 2]);
  end();
});

test("a topic that is refused, and none at all, do not keep it waiting", () => {
  connection.start();
  FakeSocket.newest.onopen();
  assert.deepEqual(FakeSocket.newest.sent, [{ type: "ping" }]);
  FakeSocket.newest.say({ type: "error", error: { code: "invalid", message: "no such topic", field: "topics" } });
  assert.deepEqual(told, ["websocket", "refresh"]);
  end();
});

test("each new connection is a new beginning", () => {
  connection.start();
  FakeSocket.newest.onopen();
  FakeSocket.newest.say({ type: "pong" });
  FakeSocket.newest.close();
  connection.hurry();
  FakeSocket.newest.onopen();
  assert.deepEqual(told, ["websocket", "refresh"]);
  FakeSocket.newest.say({ type: "pong" });
  assert.deepEqual(told, ["websocket", "refresh", "refresh"]);
  end();
});
