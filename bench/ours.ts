/**
 * Our implementation: everything between a chosen file and "delivered", as the pages run it. That
 * is the handshake's keys, the outbox that reads, seals and sends, and the inbox that checks and
 * collects. Only the signaling server is left out. Runs in browsers.
 *
 * @module
 */
import { DEFAULT_RULES } from "../lib/protocol/display_options.ts";
import { UNTOUCHED } from "../lib/image/edits.ts";
import { SenderHandshake, type SessionKeys, ViewerHandshake } from "../lib/e2e/handshake.ts";
import { loadKem } from "../lib/e2e/kem.ts";
import { createIdentity, Peer } from "../lib/connection/peer.ts";
import type { RtcTransport } from "../lib/connection/rtc_transport.ts";
import { SecureLink } from "../lib/connection/secure_link.ts";
import { StripedTransport, type StripeOptions } from "../lib/connection/striped_transport.ts";
import { type Bytes, fromBase64Url, toBase64Url } from "../lib/protocol/bytes.ts";
import { HANDSHAKE } from "../lib/protocol/handshake.ts";
import { Inbox } from "../lib/pictures/inbox.ts";
import { dispatch } from "../lib/pictures/picture_messages.ts";
import { PictureScreen } from "../lib/viewer/picture_screen.ts";
import { Outbox } from "../lib/pictures/outbox.ts";
import type { Endpoint, Implementation, SignalPort } from "./implementation.ts";

/**
 * In the product a chosen file already is a Blob; creating it from the bytes is not part of the
 * measurement.
 */
const blobs = new WeakMap<Uint8Array, Blob>();

function blobOf(data: Bytes): Blob {
  const known = blobs.get(data);
  if (known !== undefined) return known;
  const blob = new Blob([data]);
  blobs.set(data, blob);
  return blob;
}

/** The product's own transfer. */
export const ours: Implementation = {
  name: "ours",
  async connect(role, port): Promise<Endpoint> {
    const link = await connectLink(role, port);
    // Nothing is painted here, so one pixel is enough.
    const thumbnail = await createImageBitmap(new ImageData(1, 1));
    const done = Promise.withResolvers<void>();
    const answers = () => true;
    const outbox = new Outbox({
      onChange: ({ state }) => {
        if (state.at === "delivered") done.resolve();
      },
      answers,
    });
    const ignore = () => {};
    const session = {
      onBack: ignore,
      onKeep: ignore,
      onBye: ignore,
      onAbort: ignore,
      onRequest: ignore,
    };
    const inbox = new Inbox({
      link,
      answers,
      screen: new PictureScreen({
        open: () => Promise.reject(new Error("Nothing is opened here")),
      }),
      defaultMark: "",
      onChange: () => {},
    });
    link.listen({
      onAway() {},
      onBreak: () => ({ image: 0, chunk: 0 }),
      onResume() {},
      onControl: (opened) => dispatch(opened, { outbox, inbox, session }),
      onRecord: (record) => inbox.receiveRecord(record),
      onSteady: () => {},
      onEnd: (why) => done.reject(new Error(`Cannot send: link ${why}`)),
    });
    return {
      choose(data) {
        const blob = blobOf(data);
        const { size } = blob;
        outbox.list.add({
          name: "",
          prepared: {
            source: blob,
            blob,
            type: "image/png",
            size,
            width: 1,
            height: 1,
            edits: UNTOUCHED,
            removed: [],
            thumbnail,
          },
          rules: DEFAULT_RULES,
        });
      },
      async send() {
        outbox.attach(link);
        await done.promise;
      },
      received() {
        const picture = inbox.picture.peek();
        return picture?.state.at === "delivered" ? picture.meta.size : 0;
      },
      close() {
        inbox.end();
        outbox.end();
        link.close();
      },
    };
  },
};

async function connectLink(role: "sender" | "receiver", port: SignalPort): Promise<SecureLink> {
  const [identity, kem] = await Promise.all([createIdentity(), loadKem()]);
  const link = { room: new Uint8Array(16), psk: new Uint8Array(32) };
  const own = { fingerprint: identity.fingerprint, kem };
  const send = (message: Bytes) => port.send(toBase64Url(message));
  const bound = Promise.withResolvers<SecureLink>();
  const common = { identity, iceServers: [] };
  const first = (keys: SessionKeys) =>
    new Peer({
      ...common,
      keys,
      send,
      onBound: (first: RtcTransport) => {
        const connect = (options: StripeOptions) => new Peer({ ...common, ...options });
        const transport = new StripedTransport({ first, keys, connect });
        bound.resolve(new SecureLink({ keys, transport }));
      },
      onFailed: (why) => bound.reject(new Error(`Cannot connect: ${why}`)),
    });
  let peer: Peer | null = null;
  const sender = role === "sender"
    ? await SenderHandshake.start({ ...own, link, code: null })
    : null;
  const viewer = role === "receiver" ? await ViewerHandshake.start({ ...own, secret: link }) : null;
  const step = async (message: Bytes) => {
    const type = message[0];
    if (peer !== null) return await peer.receive(message);
    if (sender !== null && type === HANDSHAKE.commit) {
      return send(await sender.receiveCommit(message));
    }
    if (sender !== null) {
      peer = first(await sender.receiveHello(message));
      return await peer.offer((sdp) => sender.confirm(sdp));
    }
    if (viewer !== null && type === HANDSHAKE.helloS) {
      return send(await viewer.receiveHello(message));
    }
    if (viewer !== null) {
      const { keys, offer } = await viewer.receiveConfirmation(message);
      peer = first(keys);
      await peer.answer(offer);
    }
  };
  let last = Promise.resolve();
  port.onmessage = (text) => {
    last = last.then(() => step(fromBase64Url(text) ?? new Uint8Array()));
    last.catch((error) => bound.reject(error));
  };
  if (viewer !== null) send(viewer.commit);
  return await bound.promise;
}
