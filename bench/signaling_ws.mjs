// The least that a relay can be, on Node with `ws`: what comes from one socket of a room goes to the other, as it is.
import { WebSocketServer } from "ws";

const rooms = new Map();
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket, { url }) => {
  const room = rooms.get(url) ?? [];
  room.push(socket);
  rooms.set(url, room);
  socket.on("message", (data) => {
    for (const other of room) if (other !== socket) other.send(data, { binary: false });
  });
  socket.on("close", () => rooms.delete(url));
});
server.on("listening", () => process.stdout.write(`${server.address().port}\n`));
