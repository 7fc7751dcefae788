/**
 * Records what a program does with its keys: every call of `crypto.subtle`, the resulting keys,
 * what they were used for, and whether the bytes behind them were overwritten afterwards. Works in
 * Deno, and in a page as a script before its own.
 *
 * @module
 */
import { assert, assertEquals } from "./assert.ts";

/** A key that was generated or imported. */
export interface WatchedKey {
  readonly how: "generateKey" | "importKey";
  readonly algorithm: string;
  readonly type: string;
  readonly extractable: boolean;
  readonly usages: readonly string[];
  /** Those of its usages that actually occurred. */
  readonly used: readonly string[];
}

/** Bytes that are secret. */
export interface WatchedSecret {
  readonly what: string;
  /** Their original value: the first 64 bytes. */
  readonly hex: string;
  /** Whether they are all zeros now, or gone. */
  readonly zeroed: boolean;
}

/** What was recorded so far. */
export interface WatchReport {
  /** Names of the methods that were called. */
  readonly methods: readonly string[];
  readonly keys: readonly WatchedKey[];
  /** Types of the keys that were exported. */
  readonly exported: readonly string[];
  readonly secrets: readonly WatchedSecret[];
}

/** A recording in progress, until it is restored. */
export interface Watch {
  report(): WatchReport;
  restore(): void;
}

/**
 * Starts recording. Its source also runs in pages, so it must not use anything outside of it.
 * Public keys are recorded, but their bytes are not secret; neither is plaintext, except for a
 * picture's key or a chunk of a picture.
 */
export function watchSubtle(): Watch {
  const methods = new Set<string>();
  const keys = new Map<CryptoKey, { key: WatchedKey; used: Set<string> }>();
  const exported: string[] = [];
  const secrets: { what: string; hex: string; bytes: Uint8Array }[] = [];
  const undo: (() => void)[] = [];

  const bytesOf = (data: BufferSource) =>
    ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);
  const hexOf = (bytes: Uint8Array) =>
    Array.from(bytes.subarray(0, 64), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const note = (what: string, data: BufferSource, hex = hexOf(bytesOf(data))) =>
    secrets.push({ what, hex, bytes: bytesOf(data) });
  const noteKey = (how: WatchedKey["how"], key: CryptoKey) => {
    const { algorithm, type, extractable, usages } = key;
    const facts = { how, algorithm: algorithm.name, type, extractable, usages: [...usages] };
    keys.set(key, { key: { ...facts, used: [] }, used: new Set() });
  };
  /** JSON of a control message: those that contain a key are secrets themselves. */
  const noteMessage = (what: string, data: BufferSource) => {
    const text = new TextDecoder().decode(bytesOf(data).subarray(0, 256));
    if (text.startsWith('{"t":"key"')) note(`${what} key message`, data);
  };

  // deno-lint-ignore no-explicit-any -- arguments and results of any method
  type Method = (...args: any[]) => any;
  const replace = (target: object, name: string, make: (original: Method) => Method) => {
    const original = Reflect.get(target, name);
    if (typeof original !== "function") return;
    Reflect.set(target, name, function (this: unknown, ...args: unknown[]) {
      return make((...given) => Reflect.apply(original, this, given))(...args);
    });
    undo.push(() => Reflect.set(target, name, original));
  };

  const HANDLERS: Readonly<Record<string, (original: Method) => Method>> = {
    generateKey: (original) => async (...args) => {
      const made = await original(...args);
      const pair = "privateKey" in made ? [made.privateKey, made.publicKey] : [made];
      for (const key of pair) noteKey("generateKey", key);
      return made;
    },
    importKey: (original) => async (...args) => {
      const [format, data] = args;
      const hex = format === "jwk" ? "" : hexOf(bytesOf(data));
      const key = await original(...args);
      noteKey("importKey", key);
      if (key.type !== "public" && format !== "jwk") note(`${key.algorithm.name} key`, data, hex);
      return key;
    },
    exportKey: (original) => (...args) => {
      exported.push(args[1].type);
      return original(...args);
    },
    deriveBits: (original) => async (...args) => {
      const [{ name, info }, key] = args;
      keys.get(key)?.used.add("deriveBits");
      const bits = await original(...args);
      note(info === undefined ? `secret of ${name}` : new TextDecoder().decode(info), bits);
      return bits;
    },
    encapsulateBits: (original) => async (...args) => {
      keys.get(args[1])?.used.add("encapsulateBits");
      const result = await original(...args);
      note("encapsulated secret", result.sharedKey);
      return result;
    },
    decapsulateBits: (original) => async (...args) => {
      keys.get(args[1])?.used.add("decapsulateBits");
      const bits = await original(...args);
      note("decapsulated secret", bits);
      return bits;
    },
    encrypt: (original) => (...args) => {
      keys.get(args[1])?.used.add("encrypt");
      noteMessage("sealed", args[2]);
      return original(...args);
    },
    decrypt: (original) => async (...args) => {
      keys.get(args[1])?.used.add("decrypt");
      const plaintext = await original(...args);
      // Additional data of 40 bytes, a header of 8 and a hash: only chunks of pictures have that.
      if (args[0].additionalData?.byteLength === 40) note("opened chunk", plaintext);
      else noteMessage("opened", plaintext);
      return plaintext;
    },
  };
  const subtle = SubtleCrypto.prototype;
  for (const name of Object.getOwnPropertyNames(subtle)) {
    if (name === "constructor") continue;
    replace(subtle, name, (original) => (...args) => {
      methods.add(name);
      const handler = HANDLERS[name];
      if (handler !== undefined) return handler(original)(...args);
      keys.get(args[1])?.used.add(name);
      return original(...args);
    });
  }
  replace(Object.getPrototypeOf(crypto), "getRandomValues", (original) => (view) => {
    original(view);
    note(`${view.byteLength} random bytes`, view);
    return view;
  });

  return {
    report: () => ({
      methods: [...methods].sort(),
      keys: [...keys.values()].map(({ key, used }) => ({ ...key, used: [...used].sort() })),
      exported,
      secrets: secrets.map(({ what, hex, bytes }) => {
        const zeroed = bytes.every((byte) => byte === 0);
        return { what, hex, zeroed };
      }),
    }),
    restore: () => undo.forEach((restore) => restore()),
  };
}

/**
 * For {@linkcode PageOptions.before}: records in the page; {@linkcode WATCH_REPORT} returns the
 * result.
 */
export const WATCH_SCRIPT =
  `Object.defineProperty(globalThis, "__watch", { value: (${watchSubtle})() });`;

/** Evaluates to JSON of a {@linkcode WatchReport}. */
export const WATCH_REPORT = "JSON.stringify(globalThis.__watch.report())";

/** Methods that the protocol needs. */
const METHODS = [
  "decapsulateBits",
  "decrypt",
  "deriveBits",
  "digest",
  "encapsulateBits",
  "encrypt",
  "exportKey",
  "generateKey",
  "importKey",
  "sign",
  "verify",
];

/**
 * The keys that are allowed, by algorithm, type and origin, with the possible usages of each: none,
 * or exactly one.
 */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  "HKDF secret, importKey": ["deriveBits"],
  "HMAC secret, importKey": ["sign", "verify"],
  "AES-GCM secret, importKey": ["encrypt", "decrypt"],
  "ECDH private, generateKey": ["deriveBits"],
  "ECDH public, generateKey": [""],
  "ECDH public, importKey": [""],
  "ML-KEM-768 private, generateKey": ["decapsulateBits"],
  "ML-KEM-768 public, generateKey": [""],
  "ML-KEM-768 public, importKey": ["encapsulateBits"],
};

/** Short description of a key, for messages. */
function describe({ algorithm, type, how, usages, extractable }: WatchedKey): string {
  const free = extractable ? ", extractable" : "";
  return `${algorithm} ${type}, ${how}: ${usages.join(" and ") || "nothing"}${free}`;
}

/**
 * Fails unless every key is one that the protocol needs, for a single usage, not extractable if
 * secret, and was used for that. Up to `spare` unused ML-KEM keys are allowed, which were made to
 * detect support by the engine. `calm`: nothing had to be repaired.
 */
export function assertLeastKeys(
  report: WatchReport,
  { spare, calm = false }: { readonly spare: number; readonly calm?: boolean },
): void {
  assertEquals(report.methods.filter((name) => !METHODS.includes(name)), []);
  const wrong = report.keys.filter(({ algorithm, type, how, usages, extractable }) => {
    const allowed = KEYS[`${algorithm} ${type}, ${how}`];
    const least = usages.length <= 1 && allowed?.includes(usages[0] ?? "") === true;
    return !least || (extractable && type !== "public");
  });
  assertEquals(wrong.map(describe), [], "keys that are none of the protocol's");
  const idle = report.keys.filter(({ usages, used }) => usages.join() !== used.join());
  const probes = idle.filter(({ algorithm, type }) =>
    algorithm === "ML-KEM-768" && type === "private"
  );
  assert(probes.length <= spare, `${probes.length} keys of ML-KEM were never used`);
  // A session without disturbance has nothing to repair: one unused key in each direction.
  const repairs = idle.filter(({ algorithm }) => algorithm === "AES-GCM").slice(0, calm ? 2 : 0);
  // Nor does a session over a short distance derive keys for further connections.
  const stripes = idle.filter(({ algorithm }) => algorithm === "HKDF").slice(0, calm ? 1 : 0);
  const expected = [...probes, ...repairs, ...stripes];
  const others = idle.filter((key) => !expected.includes(key));
  assertEquals(others.map(describe), [], "keys that were not used as they may be");
  assertEquals(report.exported.filter((type) => type !== "public"), []);
  assert(report.keys.length > 0 && report.exported.length > 0, "something was watched");
}
