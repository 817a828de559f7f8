import type { Challenge, Found, Hex, Person } from '@/api'
import { concatBytes, fromBase64url, fromHex, toHex } from '@/api/bytes'
import { failed, inForce, readCert, refused } from '@/device/certificate'
import { templateProtector } from '@/device/engines'
import { DeviceError } from '@/device/errors'
import {
  galleryContext,
  Header,
  KeyPurpose,
  MessageType,
  modelFingerprint,
  searchContext,
  sha256,
  signHeader,
} from '@/protect'
import { kioskApi } from './api'
import type { KioskMemory } from './store'

type Bytes = Uint8Array<ArrayBuffer>

const SCHEME = 'homomorphic'
/** Challenges fetched at once, so that a search need not wait for one. */
const AHEAD = 4
const LEAST_LEFT_MS = 5_000
const NO_TOKEN: Bytes = new Uint8Array()
/** An embedding that is no face's, for making ready. */
const NOBODY = Float32Array.from({ length: 128 }, (_, axis) => (axis === 0 ? 1 : 0))
/** Of a name in UTF-8, filled up with zeros: its length is nobody's business, and it stands in no address. */
const NAME_BYTES = 160

/** A challenge, and when it was asked for by this machine's steady clock. */
interface Granted {
  readonly challenge: Challenge
  readonly askedAt: number
}

export interface Search {
  readonly found: Found
  /** Milliseconds of encrypting, and of the round trip. */
  readonly timings: { readonly protect: number; readonly search: number }
}

/** Signs this kiosk's searches and registrations. */
export class Desk {
  readonly #kiosk: KioskMemory
  readonly #gallery: Bytes
  #ahead: Granted[] = []
  #fetching: Promise<void> | null = null
  #key: Bytes | null = null

  constructor(kiosk: KioskMemory) {
    this.#kiosk = kiosk
    this.#gallery = fromHex(kiosk.gallery)
  }

  /** Does what the first search would have to wait for. @throws DeviceError certificate_invalid; ApiError */
  async prepare(): Promise<void> {
    await this.#fill()
    const [granted] = this.#ahead
    if (!granted) return
    const key = await this.#certifiedKey(granted)
    await (await templateProtector(SCHEME)).protectProbe(NOBODY, { scheme: SCHEME, key, token: NO_TOKEN })
  }

  /** Whose unit embedding this is; several may be asked about at once. @throws DeviceError certificate_invalid; ApiError */
  async search(embedding: Float32Array): Promise<Search> {
    const granted = await this.#challenge()
    const started = performance.now()
    const message = await this.#probe(embedding, granted)
    const protectedAt = performance.now()
    const { data: found } = await kioskApi.search(this.#kiosk.token, message)
    const timings = { protect: protectedAt - started, search: performance.now() - protectedAt }
    void this.#fill().catch(() => undefined) // what is wrong meets the next search, which fetches again
    return { found, timings }
  }

  /**
   * Adds a person who agreed to it, by their averaged unit embedding, once a search finds nobody but whom it `replaces`.
   * @throws DeviceError certificate_invalid; ApiError galleries.person_known and others
   */
  async register(embedding: Float32Array, name: string, replaces: Hex | null = null): Promise<Person> {
    const [granted] = await this.#granted('register', 1)
    if (!granted) throw new DeviceError('certificate_invalid', { check: 'missing' })
    const key = await this.#certifiedKey(granted)
    const protector = await templateProtector(SCHEME)
    const body = await protector.protectTemplate(embedding, { scheme: SCHEME, key, token: NO_TOKEN })
    const context = await galleryContext(this.#gallery, 'register')
    const template = await this.#signed(MessageType.GALLERY_OPT_IN, granted, context, body)
    const probe = await this.#probe(embedding, await this.#challenge())
    return kioskApi.register(this.#kiosk.token, concatBytes(nameField(name), probe, template), replaces)
  }

  /** Gives somebody whom a kiosk registered another name. @throws ApiError */
  rename(id: Hex, name: string): Promise<Person> {
    return kioskApi.rename(this.#kiosk.token, id, name)
  }

  /** A signed search. */
  async #probe(embedding: Float32Array, granted: Granted): Promise<Bytes> {
    const key = await this.#certifiedKey(granted)
    const body = await (await templateProtector(SCHEME)).protectProbe(embedding, { scheme: SCHEME, key, token: NO_TOKEN })
    return this.#signed(MessageType.IDENTIFY, granted, await searchContext(this.#gallery), body)
  }

  async #challenge(): Promise<Granted> {
    await this.#fill()
    const next = this.#ahead.shift()
    if (!next) throw new DeviceError('certificate_invalid', { check: 'missing' })
    return next
  }

  /** Sees to it that there is a challenge; whoever needs one meanwhile waits for the same ones. */
  #fill(): Promise<void> {
    this.#ahead = this.#ahead.filter((granted) => nowMs(granted) < granted.challenge.expires_ms - LEAST_LEFT_MS)
    if (this.#ahead.length > 0) return Promise.resolve()
    this.#fetching ??= this.#granted('identify', AHEAD)
      .then((granted) => {
        this.#ahead = granted
      })
      .finally(() => {
        this.#fetching = null
      })
    return this.#fetching
  }

  async #granted(type: 'identify' | 'register', count: number): Promise<Granted[]> {
    const askedAt = performance.now()
    const challenges = await kioskApi.challenges(this.#kiosk.token, type, count)
    return challenges.map((challenge) => ({ challenge, askedAt }))
  }

  /** The gallery's key: vouched for by the pinned key holder, and the same as when this kiosk joined. */
  async #certifiedKey(granted: Granted): Promise<Bytes> {
    const { key_cert, key_fp } = granted.challenge
    if (key_cert === null || key_fp === null) throw refused('missing')
    const cert = await readCert(fromBase64url(key_cert), this.#kiosk.keyHolder)
    this.#key ??= await kioskApi.publicKey(this.#kiosk.token, this.#kiosk.keyFp)
    const checks: Record<string, boolean> = {
      purpose: cert.purpose === KeyPurpose.GALLERY,
      subject: toHex(cert.subjectId) === this.#kiosk.gallery,
      dates: inForce(cert, Date.now()),
      fingerprint: toHex(cert.keyFp) === toHex(await sha256(this.#key)),
      'pinned key': toHex(cert.keyFp) === this.#kiosk.keyFp,
    }
    const wrong = Object.keys(checks).find((name) => !checks[name])
    if (wrong === undefined) return this.#key
    this.#key = null
    throw failed(wrong, nowMs(granted))
  }

  async #signed(type: MessageType, granted: Granted, contextHash: Bytes, body: Bytes): Promise<Bytes> {
    const header = new Header({
      type,
      accountId: this.#gallery,
      deviceId: this.#kiosk.id,
      challenge: fromBase64url(granted.challenge.challenge),
      issuedMs: nowMs(granted),
      contextHash,
      bodyHash: await sha256(body),
      keyFp: fromHex(this.#kiosk.keyFp),
      modelFp: await modelFingerprint(SCHEME),
    })
    return concatBytes(header.toBytes(), await signHeader(this.#kiosk.privateKey, header), body)
  }
}

/** Its length, the name, and zeros: 161 bytes. The server refuses a name that is longer than 40 characters. */
function nameField(name: string): Bytes {
  const field = new Uint8Array(1 + NAME_BYTES)
  const { written } = new TextEncoder().encodeInto(name, field.subarray(1))
  field[0] = written
  return field
}

/** The time by the server's clock, so that a wrong clock here does not matter. */
function nowMs({ challenge, askedAt }: Granted): number {
  return challenge.server_time_ms + Math.round(performance.now() - askedAt)
}
