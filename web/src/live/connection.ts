// The live connection: a WebSocket; where there is none, server-sent events; where there are none either, polling. It
// is opened again for as long as the page lives, with a growing pause, and everything on the screen is asked for again
// once it is back, so a server may be restarted under an open page.

export type LiveState = "connecting" | "websocket" | "events" | "polling" | "offline";
export type Handler = (data: unknown) => void;

interface Subscription {
  name: string; // "jobs", "logs:17"
  topic: () => string; // with the offset to continue from: "logs:17@4096"
  handler: Handler;
}

const POLL_MS = 5_000;
const PING_MS = 15_000;
const SILENCE_MS = 40_000;
const PAUSE_FIRST_MS = 300;
const PAUSE_LAST_MS = 5_000;
const UPGRADE_MS = 30_000; // how often something better than the present way is tried
const ATTEMPTS_BEFORE_EVENTS = 2;

export const nameOf = (topic: string) => topic.split("@", 1)[0]!;

export class Connection {
  state: LiveState = "connecting";
  onState: (state: LiveState) => void = () => undefined;
  /** Everything shown may have changed: ask again. */
  onRefresh: () => void = () => undefined;

  private subscriptions = new Set<Subscription>();
  private socket: WebSocket | null = null;
  private source: EventSource | null = null;
  private sourceTopics = "";
  private failures = 0;
  private lastHeard = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pingTimer: ReturnType<typeof setInterval> | undefined;
  private pollTimer: ReturnType<typeof setInterval> | undefined;
  private upgradeTimer: ReturnType<typeof setTimeout> | undefined;

  start() {
    this.openSocket();
    addEventListener("online", this.hurry);
    document.addEventListener("visibilitychange", this.hurry);
  }

  subscribe(topic: string | (() => string), handler: Handler): () => void {
    const make = typeof topic === "string" ? () => topic : topic;
    const subscription = { name: nameOf(make()), topic: make, handler };
    const isNew = !this.has(subscription.name);
    this.subscriptions.add(subscription);
    if (isNew) this.send({ type: "subscribe", topics: [make()] });
    this.renewSource();
    return () => {
      this.subscriptions.delete(subscription);
      if (!this.has(subscription.name)) this.send({ type: "unsubscribe", topics: [subscription.name] });
      this.renewSource();
    };
  }

  private has(name: string) {
    return [...this.subscriptions].some((one) => one.name === name);
  }

  private topics() {
    const byName = new Map([...this.subscriptions].map((one) => [one.name, one.topic()]));
    return [...byName.values()];
  }

  private send(message: object) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private setState(state: LiveState) {
    if (state === this.state) return;
    this.state = state;
    this.onState(state);
  }

  /** Events arrive by now. What changed before, even in the first moment of the page, was told to nobody: it is asked for. */
  private becomeLive(state: LiveState) {
    this.failures = 0;
    clearInterval(this.pollTimer);
    this.pollTimer = undefined;
    this.setState(state);
    this.onRefresh();
  }

  private deliver(topic: string, data: unknown) {
    const name = nameOf(topic);
    for (const one of [...this.subscriptions]) if (one.name === name) one.handler(data);
  }

  // ---- WebSocket ----

  private openSocket() {
    clearTimeout(this.timer);
    if (this.socket) return;
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
    this.socket = socket;
    let isHeard = false;
    socket.onopen = () => {
      this.closeSource();
      clearTimeout(this.upgradeTimer);
      this.lastHeard = Date.now();
      this.pingTimer = setInterval(() => this.checkPulse(), PING_MS);
      const topics = this.topics();
      this.send(topics.length > 0 ? { type: "subscribe", topics } : { type: "ping" });
    };
    socket.onmessage = (event) => {
      this.lastHeard = Date.now();
      if (!isHeard) this.becomeLive("websocket"); // the first is the answer to what was asked for above
      isHeard = true;
      const message = JSON.parse(String(event.data)) as { type: string; topic?: string; data?: unknown };
      if (message.type === "event" && message.topic) this.deliver(message.topic, message.data);
    };
    socket.onclose = () => this.socketClosed(socket);
  }

  private checkPulse() {
    if (Date.now() - this.lastHeard > SILENCE_MS) this.socket?.close();
    else this.send({ type: "ping" });
  }

  private socketClosed(socket: WebSocket) {
    if (this.socket !== socket) return;
    this.socket = null;
    clearInterval(this.pingTimer);
    this.failures++;
    if (this.source) return this.upgradeLater();
    this.startPolling();
    if (this.failures >= ATTEMPTS_BEFORE_EVENTS && this.state === "polling") return this.openSource();
    const pause = Math.min(PAUSE_LAST_MS, PAUSE_FIRST_MS * 2 ** Math.min(this.failures - 1, 6));
    this.timer = setTimeout(() => this.openSocket(), pause * (0.75 + Math.random() / 2));
  }

  // ---- server-sent events ----

  private openSource() {
    const topics = this.topics().map(nameOf).filter((name) => !name.startsWith("logs:"));
    this.sourceTopics = topics.join(",");
    const source = new EventSource(`/api/events?topics=${encodeURIComponent(this.sourceTopics)}`);
    this.source = source;
    source.onopen = () => this.becomeLive("events");
    source.onerror = () => {
      if (this.source !== source) return;
      this.closeSource();
      this.startPolling();
      this.timer = setTimeout(() => this.openSocket(), PAUSE_LAST_MS);
    };
    for (const topic of topics) {
      source.addEventListener(topic, (event) => this.deliver(topic, JSON.parse((event as MessageEvent<string>).data)));
    }
    this.upgradeLater();
  }

  private renewSource() {
    if (!this.source) return;
    const topics = this.topics().map(nameOf).filter((name) => !name.startsWith("logs:"));
    if (topics.join(",") === this.sourceTopics) return;
    this.closeSource();
    this.openSource();
  }

  private closeSource() {
    this.source?.close();
    this.source = null;
  }

  private upgradeLater() {
    clearTimeout(this.upgradeTimer);
    this.upgradeTimer = setTimeout(() => this.openSocket(), UPGRADE_MS);
  }

  // ---- polling ----

  private startPolling() {
    if (this.pollTimer) return;
    const poll = () => void this.pollOnce();
    this.pollTimer = setInterval(poll, POLL_MS);
    poll();
  }

  private async pollOnce() {
    try {
      await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(POLL_MS - 500) });
    } catch {
      if (this.pollTimer) this.setState("offline");
      return;
    }
    if (!this.pollTimer) return;
    this.setState("polling");
    this.onRefresh();
  }

  private hurry = () => {
    if (document.visibilityState === "visible" && !this.socket && !this.source) this.openSocket();
  };
}
