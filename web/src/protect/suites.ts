/**
 * The three protections a person may choose, by name and by the suite byte of headers and certificates.
 * Mirrors src/veilface/protect/suites.py; what a suite does is in homomorphic.ts, ranking.ts and negative.ts.
 */
import { malformed } from './layout'
import { NEGATIVE } from './negative'
import { RANKING, rankingBytes } from './ranking'
import { CIPHERTEXT_BYTES, PUBLIC_KEY_BYTES } from './ring'
import { TOKEN_BYTES } from './token'

/** 0x02 is kept for keys in the device's own custody. */
export const Suite = { HOMOMORPHIC: 0x01, RANKING: 0x03, NEGATIVE: 0x04 } as const
export type Suite = (typeof Suite)[keyof typeof Suite]

/** The default first. */
export const SCHEME_NAMES = ['homomorphic', 'ranking', 'negative'] as const
export type SchemeName = (typeof SCHEME_NAMES)[number]

export interface Scheme {
  readonly name: SchemeName
  readonly suite: Suite
  /** The epoch's public part: a public key to encrypt under, or a salt that makes each epoch's transform another one. */
  readonly keyBytes: number
  /** The person's secret on this device; 0 where there is none. */
  readonly tokenBytes: number
  readonly templateBytes: number
  readonly probeBytes: number
}

const SALT_BYTES = 32

export const SCHEMES: Readonly<Record<SchemeName, Scheme>> = {
  homomorphic: {
    name: 'homomorphic',
    suite: Suite.HOMOMORPHIC,
    keyBytes: PUBLIC_KEY_BYTES,
    tokenBytes: 0,
    templateBytes: CIPHERTEXT_BYTES,
    probeBytes: CIPHERTEXT_BYTES,
  },
  ranking: {
    name: 'ranking',
    suite: Suite.RANKING,
    keyBytes: SALT_BYTES,
    tokenBytes: TOKEN_BYTES,
    templateBytes: rankingBytes(RANKING),
    probeBytes: rankingBytes(RANKING),
  },
  negative: {
    name: 'negative',
    suite: Suite.NEGATIVE,
    keyBytes: SALT_BYTES,
    tokenBytes: TOKEN_BYTES,
    templateBytes: NEGATIVE.length,
    probeBytes: NEGATIVE.length / 8,
  },
}

/** The protection of this name; throws `ProtectError` for a name from elsewhere that is none. */
export function schemeNamed(name: string): Scheme {
  const found = SCHEME_NAMES.find((known) => known === name)
  if (found === undefined) throw malformed('scheme', name, SCHEME_NAMES.join(', '))
  return SCHEMES[found]
}

/** The protection of a suite byte; throws `ProtectError` for any other byte. */
export function schemeOf(suite: number): Scheme {
  const found = SCHEME_NAMES.find((name) => SCHEMES[name].suite === suite)
  if (found === undefined) throw malformed('suite', suite, Object.values(Suite).join(', '))
  return SCHEMES[found]
}

/** Whether the template can only be used with the secret of the device that enrolled it. */
export function isKeyed(scheme: Scheme): boolean {
  return scheme.tokenBytes > 0
}
