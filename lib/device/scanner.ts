/**
 * Reads QR codes with the camera, in this browser: no picture leaves it, and none is kept.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** Why there is nothing to read. */
export type ScanProblem =
  /** This page gets no camera at all, e.g. inside another app. */
  | "unavailable"
  /** A person, or a policy, said no. */
  | "denied"
  /** This device has none. */
  | "missing"
  /** It could not be started, e.g. because another app uses it. */
  | "busy"
  /** It was on, and is not any more. */
  | "stopped"
  /** The decoder's script did not arrive. */
  | "unloaded";

/** Pause between two frames that are read, in milliseconds: a phone stays cool, a person waits. */
const PAUSE_MS = 120;

/** Longest time for which the camera stays on, in milliseconds. */
const LONGEST_MS = 180_000;

/** Longer side of the frames that the decoder gets; a link's code has 41 modules. */
const FRAME_SIDE = 720;

/** Settings of {@linkcode scan}. */
export interface ScanOptions {
  /** Shows what the camera sees. */
  readonly video: HTMLVideoElement;
  /** Receives the text of each code that is read; true if it is the one that was looked for. */
  readonly take: (text: string) => boolean;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Returns the text of a code in the current frame. */
type Reader = (video: HTMLVideoElement) => Promise<string | null>;

/**
 * Turns the camera on and reads until a code is taken, and turns it off in any case. Resolves to
 * `null` once a code was taken or `signal` aborted, otherwise to what is wrong.
 */
export async function scan({ video, take, signal }: ScanOptions): Promise<ScanProblem | null> {
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  if (devices?.getUserMedia === undefined) return "unavailable";
  const read = await makeReader().catch(() => null);
  if (read === null) return "unloaded";
  let stream: MediaStream;
  try {
    // The one at the back, where there are two.
    stream = await devices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  } catch (error) {
    return problemOf(error);
  }
  // The camera's light goes off with its last track.
  const off = () => {
    for (const track of stream.getTracks()) track.stop();
  };
  signal.addEventListener("abort", off, { once: true });
  try {
    video.srcObject = stream;
    await video.play();
    const until = performance.now() + LONGEST_MS;
    while (!signal.aborted) {
      if (!stream.active || performance.now() > until) return "stopped";
      const text = await read(video);
      if (text !== null && text !== "" && !signal.aborted && take(text)) return null;
      await new Promise((done) => setTimeout(done, PAUSE_MS));
    }
    return null;
  } catch {
    return signal.aborted ? null : "stopped";
  } finally {
    off();
    signal.removeEventListener("abort", off);
    video.srcObject = null;
  }
}

function problemOf(error: unknown): ScanProblem {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    default:
      return "busy";
  }
}

/** The part of the Barcode Detection API that is used; TypeScript's library lacks it. */
interface BarcodeDetectorClass {
  getSupportedFormats(): Promise<readonly string[]>;
  new (options: { formats: readonly string[] }): {
    detect(source: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]>;
  };
}

/** The browser's own reader where it has one, otherwise ours. Rejects if that can't be loaded. */
async function makeReader(): Promise<Reader> {
  const detectorClass: BarcodeDetectorClass | undefined = Reflect.get(
    globalThis,
    "BarcodeDetector",
  );
  const formats = await detectorClass?.getSupportedFormats().catch((): readonly string[] => []);
  if (detectorClass !== undefined && formats?.includes("qr_code") === true) {
    const detector = new detectorClass({ formats: ["qr_code"] });
    return async (video) => (await detector.detect(video))[0]?.rawValue ?? null;
  }
  const { default: jsqr } = await import("jsqr");
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return (video) => {
    const scale = Math.min(1, FRAME_SIDE / Math.max(video.videoWidth, video.videoHeight, 1));
    const width = canvas.width = Math.round(video.videoWidth * scale);
    const height = canvas.height = Math.round(video.videoHeight * scale);
    if (context === null || width === 0 || height === 0) return Promise.resolve(null);
    context.drawImage(video, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    return Promise.resolve(jsqr.default(data, width, height)?.data ?? null);
  };
}
