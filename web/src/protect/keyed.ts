/** The two keyed protections as the device uses them: a template or a probe from an embedding, key and token. */
import { contractId } from '@/contract'
import type { Bytes } from './bytes'
import { countRecords, kHidden, NEGATIVE, negativeTransform, packBits, refuseWeak, signBits, systemRandomness } from './negative'
import { localRanks, packRanks, rankingTransform } from './ranking'
import type { SchemeName } from './suites'
import { transform } from './transform'

export type KeyedName = Exclude<SchemeName, 'homomorphic'>

export interface Secrets {
  /** The epoch's public salt, 32 bytes. */
  readonly key: Bytes
  /** The person's secret, 32 bytes. */
  readonly token: Bytes
}

interface Keyed {
  template: (embedding: ArrayLike<number>, secrets: Secrets) => Promise<Bytes>
  probe: (embedding: ArrayLike<number>, secrets: Secrets) => Promise<Bytes>
}

/** Rejects with `ProtectError` unusable_embedding or unusable_token. */
export const KEYED: Readonly<Record<KeyedName, Keyed>> = {
  ranking: { template: ranksOf, probe: ranksOf },
  negative: {
    template: async (embedding, secrets) => countsOf(await negativeBits(embedding, secrets)),
    probe: async (embedding, secrets) => packBits(await negativeBits(embedding, secrets)),
  },
}

/** The keyed bit string (2048 × 0 or 1) that a negative database hides. */
export async function negativeBits(embedding: ArrayLike<number>, { key, token }: Secrets): Promise<Uint8Array> {
  return signBits(transform(embedding, await negativeTransform(token, await transformSalt(key))))
}

/** The counts of fresh records that hide `bits`; made once an enrolment. */
export function countsOf(bits: Uint8Array, randomness = systemRandomness): Bytes {
  return new Uint8Array(countRecords(kHidden(bits, refuseWeak(NEGATIVE), randomness), NEGATIVE.length).buffer)
}

async function ranksOf(embedding: ArrayLike<number>, { key, token }: Secrets): Promise<Bytes> {
  return packRanks(localRanks(transform(embedding, await rankingTransform(token, await transformSalt(key)))))
}

/** The HKDF salt of an epoch: contract id ‖ key, so that a new epoch is a new transform even under an old token. */
export async function transformSalt(key: Bytes): Promise<Bytes> {
  return new Uint8Array(await new Blob([await contractId(), key]).arrayBuffer())
}
