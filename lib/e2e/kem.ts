/**
 * ML-KEM-768 (FIPS 203): WebCrypto's if the browser has it, otherwise `@noble/post-quantum`, loaded
 * lazily.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import { ProtocolError, wipe } from "./suite.ts";

/** Length of an encapsulation key in bytes. */
export const EK_LENGTH = 1184;

/** Length of a ciphertext in bytes. */
export const CT_LENGTH = 1088;

/** A fresh key pair; its private half lives in the closure of `decapsulate`. */
export interface KemPair {
  /** 1,184 bytes. */
  readonly encapsulationKey: Bytes;
  /**
   * Opens a ciphertext of 1,088 bytes, once. A ciphertext for another key yields an unrelated
   * secret (implicit rejection).
   */
  decapsulate(ciphertext: Bytes): Promise<Bytes>;
  /**
   * Overwrites the private key of a pair that is no longer used. A key inside the engine can't be
   * overwritten, only released.
   */
  end(): void;
}

/**
 * The result of a key encapsulation: the ciphertext to send, and the 32 bytes that both sides
 * share.
 */
export interface Encapsulation {
  readonly ciphertext: Bytes;
  readonly secret: Bytes;
}

/** One implementation of ML-KEM-768. */
export interface Kem {
  generate(): Promise<KemPair>;
  /** Throws {@linkcode ProtocolError} if the encapsulation key is not valid. */
  encapsulate(encapsulationKey: Bytes): Promise<Encapsulation>;
}

const NAME = "ML-KEM-768";

/**
 * The part of WebCrypto (WICG "Modern Algorithms in the Web Cryptography API") that TypeScript's
 * library lacks.
 */
interface ModernSubtle {
  generateKey(
    algorithm: { name: string },
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKeyPair>;
  importKey(
    format: "raw-public",
    data: Bytes,
    algorithm: { name: string },
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
  exportKey(format: "raw-public", key: CryptoKey): Promise<ArrayBuffer>;
  encapsulateBits(
    algorithm: { name: string },
    key: CryptoKey,
  ): Promise<{ ciphertext: ArrayBuffer; sharedKey: ArrayBuffer }>;
  decapsulateBits(
    algorithm: { name: string },
    key: CryptoKey,
    ciphertext: Bytes,
  ): Promise<ArrayBuffer>;
}

function modernSubtle(): ModernSubtle | null {
  return "encapsulateBits" in crypto.subtle ? crypto.subtle as unknown as ModernSubtle : null;
}

/** WebCrypto's ML-KEM, or `null` if this browser has none. */
export async function nativeKem(): Promise<Kem | null> {
  const subtle = modernSubtle();
  if (subtle === null) return null;
  const algorithm = { name: NAME };
  async function generate(api: ModernSubtle): Promise<KemPair> {
    const pair = await api.generateKey(algorithm, false, ["decapsulateBits"]);
    return {
      encapsulationKey: new Uint8Array(await api.exportKey("raw-public", pair.publicKey)),
      decapsulate: async (ciphertext) =>
        new Uint8Array(await api.decapsulateBits(algorithm, pair.privateKey, ciphertext)),
      end: () => {},
    };
  }
  try {
    // The method's existence proves nothing: an engine may have it for other algorithms.
    await generate(subtle);
  } catch {
    return null;
  }
  return {
    generate: () => generate(subtle),
    async encapsulate(encapsulationKey) {
      if (encapsulationKey.length !== EK_LENGTH) throw new ProtocolError();
      try {
        const usages = ["encapsulateBits"];
        const key = await subtle.importKey(
          "raw-public",
          encapsulationKey,
          algorithm,
          false,
          usages,
        );
        const { ciphertext, sharedKey } = await subtle.encapsulateBits(algorithm, key);
        return { ciphertext: new Uint8Array(ciphertext), secret: new Uint8Array(sharedKey) };
      } catch {
        throw new ProtocolError();
      }
    },
  };
}

/** `@noble/post-quantum`'s ML-KEM, loaded when this is called. */
export async function javascriptKem(): Promise<Kem> {
  const { ml_kem768 } = await import("@noble/post-quantum/ml-kem.js");
  return {
    generate() {
      const pair = ml_kem768.keygen();
      return Promise.resolve({
        encapsulationKey: new Uint8Array(pair.publicKey),
        decapsulate(ciphertext) {
          const shared = ml_kem768.decapsulate(ciphertext, pair.secretKey);
          const secret = new Uint8Array(shared);
          wipe(shared, pair.secretKey);
          return Promise.resolve(secret);
        },
        end: () => wipe(pair.secretKey),
      });
    },
    encapsulate(encapsulationKey) {
      if (encapsulationKey.length !== EK_LENGTH) return Promise.reject(new ProtocolError());
      try {
        const { cipherText, sharedSecret } = ml_kem768.encapsulate(encapsulationKey);
        const secret = new Uint8Array(sharedSecret);
        wipe(sharedSecret);
        return Promise.resolve({ ciphertext: new Uint8Array(cipherText), secret });
      } catch {
        return Promise.reject(new ProtocolError());
      }
    },
  };
}

let best: Promise<Kem> | null = null;

/**
 * The best ML-KEM-768 that this engine has, determined once. Pages call this when they load, so
 * that the fallback, if needed, is here before the server can become unreachable. If it could not
 * be loaded, the next call tries again.
 */
export function loadKem(): Promise<Kem> {
  best ??= findKem().catch((error) => {
    best = null;
    throw error;
  });
  return best;
}

async function findKem(): Promise<Kem> {
  return await nativeKem() ?? await javascriptKem();
}
