/**
 * Fresh encryptions of zero by SEAL (node-seal 7, SEAL 4.1.2 in WebAssembly).
 *
 * The public key comes from another release of SEAL, whose containers node-seal refuses. So a key container of our
 * own making gets the certified key's words – after the strict parser has seen them – and nothing else is ever loaded.
 */
import SEAL from 'node-seal'
import type { MainModule, PublicKey, SEALContext } from 'node-seal'
import type { Bytes } from './bytes'
import { ProtectError } from './errors'
import { KEY_PRIMES, N, packWords, parseWords, PRIMES } from './ring'

const WORD_BYTES = 8

/** Both halves of a key, which no device has of an account: made for the breach simulator and for tests. */
export interface KeyPair {
  /** 98,304 wire bytes. */
  readonly publicKey: Bytes
  /** Residues modulo the four primes of keys, in NTT order. */
  readonly secret: Float64Array
}

export class ZeroMaker {
  readonly #seal: MainModule
  readonly #context: SEALContext
  /** Everything SEAL writes before the words of a public key: constant for these parameters. */
  readonly #keyHead: Bytes

  private constructor(seal: MainModule) {
    this.#seal = seal
    this.#context = makeContext(seal)
    this.#keyHead = makeKeyHead(seal, this.#context)
  }

  /** @param wasmUrl where SEAL's WebAssembly file is; left out, it is looked for beside its script */
  static async load(wasmUrl?: string): Promise<ZeroMaker> {
    return new ZeroMaker(await SEAL(wasmUrl === undefined ? {} : { locateFile: () => wasmUrl }))
  }

  /**
   * @param publicKey 98,304 wire bytes
   * @returns residues of two components modulo three primes, in NTT order
   * @throws ProtectError malformed_ciphertext
   */
  encryptZero(publicKey: Bytes): Float64Array {
    const key = this.#readKey(publicKey)
    const encryptor = new this.#seal.Encryptor(this.#context, key)
    const zero = new this.#seal.Ciphertext()
    try {
      encryptor.encryptZero(zero)
      const saved = zero.saveToArray(this.#seal.ComprModeType.none) as Uint8Array
      return tailWords(saved, 2 * PRIMES.length * N)
    } finally {
      zero.delete()
      encryptor.delete()
      key.delete()
    }
  }

  /** A fresh key pair of SEAL's making. */
  makeKeys(): KeyPair {
    const generator = new this.#seal.KeyGenerator(this.#context)
    const publicKey = generator.createPublicKey()
    const secretKey = generator.secretKey()
    try {
      const words = KEY_PRIMES.length * N
      const secret = tailWords(secretKey.saveToArray(this.#seal.ComprModeType.none) as Uint8Array, words)
      const whole = tailWords(publicKey.saveToArray(this.#seal.ComprModeType.none) as Uint8Array, 2 * words)
      return { publicKey: packWords(whole), secret }
    } finally {
      secretKey.delete()
      publicKey.delete()
      generator.delete()
    }
  }

  #readKey(publicKey: Bytes): PublicKey {
    const words = BigUint64Array.from(parseWords(publicKey, 2, KEY_PRIMES), BigInt)
    const container = new Uint8Array(this.#keyHead.length + words.byteLength)
    container.set(this.#keyHead)
    container.set(new Uint8Array(words.buffer), this.#keyHead.length)
    const key = new this.#seal.PublicKey()
    key.loadFromArray(this.#context, container)
    return key
  }
}

function makeContext(seal: MainModule): SEALContext {
  const moduli = new seal.VectorModulus()
  const parameters = new seal.EncryptionParameters(seal.SchemeType.ckks)
  try {
    for (const prime of KEY_PRIMES) {
      const modulus = new seal.Modulus(BigInt(prime))
      moduli.push_back(modulus)
      modulus.delete()
    }
    parameters.setPolyModulusDegree(N)
    parameters.setCoeffModulus(moduli)
    const context = new seal.SEALContext(parameters, true, seal.SecLevelType.tc128)
    if (!context.parametersSet()) throw new ProtectError('engine_failed', { got: context.toHuman() })
    return context
  } finally {
    parameters.delete()
    moduli.delete()
  }
}

/** The container of a throw-away key, without its words. */
function makeKeyHead(seal: MainModule, context: SEALContext): Bytes {
  const generator = new seal.KeyGenerator(context)
  const key = generator.createPublicKey()
  try {
    const saved = key.saveToArray(seal.ComprModeType.none) as Uint8Array
    return Uint8Array.from(saved.subarray(0, saved.length - 2 * KEY_PRIMES.length * N * WORD_BYTES))
  } finally {
    key.delete()
    generator.delete()
  }
}

/** The raw words at the end of one of our own SEAL containers. */
function tailWords(container: Uint8Array, count: number): Float64Array {
  const tail = container.slice(container.length - count * WORD_BYTES)
  return Float64Array.from(new BigUint64Array(tail.buffer), Number)
}
