/**
 * The baseline: a bare RTCDataChannel, as well tuned as we know how. No encryption of our own, no
 * framing, no checks. Runs in browsers.
 *
 * @module
 */
import type { Endpoint, Implementation, SignalPort } from "./implementation.ts";

/**
 * Queued bytes at which the queue is refilled. More than about 1 MiB queued at once causes SCTP
 * timeouts of 400 ms each.
 */
const LOW_MARK = 64 * 1024;
/**
 * Queued bytes up to which it is filled. Never equal to the low mark, or the sender may stall for
 * good.
 */
const HIGH_MARK = 128 * 1024;

/** The receiver's answer once it has everything. */
const ACKNOWLEDGED = "got it";

/** An ordered channel that sends messages of `messageBytes`. */
export function bare(messageBytes: number): Implementation {
  return {
    name: `bare ${messageBytes / 1024} KiB`,
    async connect(role, port, size): Promise<Endpoint> {
      const connection = new RTCPeerConnection();
      const channel = connection.createDataChannel("bare", { negotiated: true, id: 0 });
      channel.binaryType = "arraybuffer";
      channel.bufferedAmountLowThreshold = LOW_MARK;
      const open = new Promise<void>((resolve, reject) => {
        channel.onopen = () => resolve();
        connection.onconnectionstatechange = () => {
          if (connection.connectionState === "failed") reject(new Error("Cannot connect"));
        };
      });
      const chunks: ArrayBuffer[] = [];
      let bytes = 0;
      if (role === "receiver") {
        channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
          chunks.push(data);
          bytes += data.byteLength;
          if (bytes === size) channel.send(ACKNOWLEDGED);
        };
      }
      await negotiate(connection, role, port);
      await open;
      return {
        send: (data) => feed(channel, data, messageBytes),
        received: () => chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0),
        close() {
          chunks.length = 0;
          connection.close();
        },
      };
    },
  };
}

function feed(
  channel: RTCDataChannel,
  data: Uint8Array<ArrayBuffer>,
  messageBytes: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let offset = 0;
    const fill = () => {
      while (offset < data.length && channel.bufferedAmount < HIGH_MARK) {
        channel.send(data.subarray(offset, offset + messageBytes));
        offset += messageBytes;
      }
    };
    channel.onbufferedamountlow = fill;
    channel.onmessage = ({ data: text }) => {
      if (text === ACKNOWLEDGED) resolve();
    };
    channel.onclose = () => reject(new Error("Cannot send: channel closed"));
    fill();
  });
}

async function negotiate(
  connection: RTCPeerConnection,
  role: "sender" | "receiver",
  port: SignalPort,
): Promise<void> {
  connection.onicecandidate = ({ candidate }) => {
    if (candidate !== null) port.send(JSON.stringify({ candidate }));
  };
  let last = Promise.resolve();
  port.onmessage = (text) => {
    // One at a time: a candidate must not be added before the description sent earlier was set.
    last = last.then(async () => {
      const { description, candidate } = JSON.parse(text);
      if (candidate) await connection.addIceCandidate(candidate);
      if (!description) return;
      await connection.setRemoteDescription(description);
      if (role === "receiver") {
        await connection.setLocalDescription();
        port.send(JSON.stringify({ description: connection.localDescription }));
      }
    });
  };
  if (role === "sender") {
    await connection.setLocalDescription();
    port.send(JSON.stringify({ description: connection.localDescription }));
  }
}
