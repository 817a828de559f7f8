/**
 * What a keyed template looks like, made on this device from the kept picture, the token and the epoch's key: the server
 * does not hand its copy out, because whoever has that could answer in the person's name. Nothing of it is kept or sent.
 */
import { api, type Template } from '@/api'
import { fromHex } from '@/api/bytes'
import type { DataSource } from '@/components/data/numbers'
import { storedSource } from '@/components/data/sources'
import type { OwnPicture } from '@/device/picture'
import { tokenOf } from '@/device/tokens'
import { countRecords, KEYED, kHidden, NEGATIVE, negativeBits, sameBytes, sha256, type KeyedName, type Records } from '@/protect'

export interface MadeHere {
  /** The ranks as the server has them; counts of other records than the server's. */
  readonly template: DataSource
  /** What the counts of a negative database come from, null for ranks. */
  readonly records: Records | null
}

/** Null where this device has no token of the epoch, or the server gives another epoch's key. */
export async function madeHere(
  account: string,
  { epoch, key_fp }: Template,
  scheme: KeyedName,
  { embedding }: OwnPicture,
): Promise<MadeHere | null> {
  const key = await api.publicKey(key_fp)
  if (!sameBytes(await sha256(key), fromHex(key_fp))) return null
  const token = await tokenOf(account, epoch)
  if (!token) return null
  try {
    if (scheme === 'ranking') {
      return { template: storedSource(scheme, await KEYED.ranking.template(embedding, { key, token })), records: null }
    }
    const records = kHidden(await negativeBits(embedding, { key, token }))
    return { template: { kind: 'counts', counts: countRecords(records, NEGATIVE.length) }, records }
  } finally {
    token.fill(0)
  }
}
