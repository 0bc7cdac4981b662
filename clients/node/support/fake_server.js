// Small servers that misbehave in one way each. Not a test itself.
import http from "node:http";
import net from "node:net";

async function listen(server) {
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** An HTTP server; `handle(request, response, body)`. Returns { url, requests, close }. */
export async function startServer(handle) {
  const requests = [];
  const server = http.createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      requests.push({ method: request.method, path: request.url, headers: request.headers, body });
      handle(request, response, body);
    });
  });
  const url = await listen(server);
  const close = () => new Promise((resolve) => {
    server.closeAllConnections?.();
    server.close(resolve);
  });
  return { url, requests, close, server };
}

/** The same answer to everything. */
export function answerWith(status, body, type = "application/json") {
  return startServer((request, response) => {
    response.writeHead(status, { "content-type": type });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
}

/** A bare socket server; `handle(socket)`. */
export async function startSocketServer(handle) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    handle(socket);
  });
  const url = await listen(server);
  const close = () => new Promise((resolve) => {
    for (const socket of sockets) socket.destroy();
    server.close(resolve);
  });
  return { url, close };
}

/** A port of this machine on which nobody listens. */
export async function freeUrl() {
  const { url, close } = await startSocketServer(() => {});
  await close();
  return url;
}
