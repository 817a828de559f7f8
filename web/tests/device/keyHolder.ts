/** A key holder and its relaying server in one, small enough to lie on demand. */
import type { api } from '@/api'
import { concatBytes, fromBase64url, fromHex, toBase64url, toHex } from '@/api/bytes'
import { KeyPurpose, modelFingerprint, Outcome, SCHEME_NAMES, SCHEMES, sha256, type SchemeName } from '@/protect'

type Bytes = Uint8Array<ArrayBuffer>
type Api = typeof api

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const
const ECDSA = { name: 'ECDSA', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000

function number(value: number, bytes: number): Bytes {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, BigInt(value))
  return new Uint8Array(view.buffer.slice(8 - bytes))
}

async function offered(name: SchemeName): Promise<{ name: SchemeName; model_fp: string }> {
  return { name, model_fp: toBase64url(await modelFingerprint(name)) }
}

const text = (value: string): Bytes => new TextEncoder().encode(value)

export class FakeKeyHolder {
  account = '00112233445566778899aabbccddeeff'
  /** The protection of the epoch that is asked for or current. */
  scheme: SchemeName = 'homomorphic'
  decisions = 0
  epoch = 1
  templateHash: Bytes | null = null
  outcome: Outcome = Outcome.ACCEPTED
  devices: { id: string; state: string; public_key: string; active_from: string }[] = []
  readonly #keys: CryptoKeyPair
  readonly publicKey: Bytes

  private constructor(keys: CryptoKeyPair, publicKey: Bytes) {
    this.#keys = keys
    this.publicKey = publicKey
  }

  static async make(): Promise<FakeKeyHolder> {
    const keys = await crypto.subtle.generateKey(P256, true, ['sign', 'verify'])
    return new FakeKeyHolder(keys, new Uint8Array(await crypto.subtle.exportKey('raw', keys.publicKey)))
  }

  async #signed(...parts: Bytes[]): Promise<Bytes> {
    const data = concatBytes(...parts)
    return concatBytes(data, new Uint8Array(await crypto.subtle.sign(ECDSA, this.#keys.privateKey, data)))
  }

  /** The epoch's key, another one for each epoch. */
  get key(): Bytes {
    return new Uint8Array(SCHEMES[this.scheme].keyBytes).fill(this.epoch)
  }

  async certificate(subject = this.account, purpose: KeyPurpose = KeyPurpose.ACCOUNT): Promise<Bytes> {
    const keyFp = await sha256(this.key)
    const [from, to] = [number(Date.now() - DAY_MS, 8), number(Date.now() + DAY_MS, 8)]
    return this.#signed(text('VFKC'), Uint8Array.of(SCHEMES[this.scheme].suite, purpose), fromHex(subject), number(this.epoch, 4), from, to, keyFp)
  }

  async receipt(header: Bytes, templateHash: Bytes): Promise<string> {
    this.decisions += 1
    return toBase64url(
      await this.#signed(
        text('VFRC'),
        await sha256(header),
        templateHash,
        Uint8Array.of(header[4] ?? 0, this.outcome),
        number(0, 2),
        number(this.decisions, 8),
        number(Date.now(), 8),
        number(this.decisions, 8),
        new Uint8Array(32),
      ),
    )
  }

  /** The server's verbs, as far as the flows use them. */
  api(): Partial<Record<keyof Api, unknown>> {
    return {
      site: async () => ({
        origin: 'http://localhost:8000',
        keyholder: { public_key: toBase64url(this.publicKey) },
        contract: { schemes: await Promise.all(SCHEME_NAMES.map(offered)) },
      }),
      devices: () => Promise.resolve(this.devices),
      registerDevice: (signed: { header: string; public_key: string }) => {
        const id = toHex(fromBase64url(signed.header).slice(24, 40))
        const state = this.devices.length === 0 ? 'active' : 'pending'
        const device = { id, state, public_key: signed.public_key, active_from: new Date().toISOString() }
        this.devices.push(device)
        return Promise.resolve(device)
      },
      challenge: async () => ({
        challenge: toBase64url(crypto.getRandomValues(new Uint8Array(32))),
        expires_ms: Date.now() + 90_000,
        server_time_ms: Date.now(),
        key_cert: toBase64url(await this.certificate()),
        key_fp: toBase64url(await sha256(this.key)),
        epoch: this.epoch,
        template_hash: this.templateHash && toBase64url(this.templateHash),
      }),
      publicKey: () => Promise.resolve(this.key),
      enrol: async (envelope: Bytes) => {
        this.templateHash = await sha256(envelope.slice(320))
        const template = { id: 'aa', scheme: this.scheme, template_hash: toHex(this.templateHash), bytes: envelope.length - 320 }
        return { data: { template, receipt: await this.receipt(envelope.slice(0, 256), this.templateHash) }, timings: {} }
      },
      verify: async (envelope: Bytes) => ({
        data: {
          outcome: this.outcome === Outcome.ACCEPTED ? 'accepted' : 'not_accepted',
          retry_after_s: 0,
          receipt: await this.receipt(envelope.slice(0, 256), this.templateHash ?? new Uint8Array(32)),
        },
        timings: { check: 1, match: 2 },
      }),
      deleteTemplate: async (_id: string, envelope: Bytes) => {
        const gone = this.templateHash ?? new Uint8Array(32)
        this.templateHash = null
        return { receipt: await this.receipt(envelope.slice(0, 256), gone) }
      },
    }
  }
}
