/** Thresholds of every protection for this release's embeddings, from the file that Python reads too. */
import file from '../../../src/veilface/protect/calibration.json'
import { contractId } from '@/contract'
import { sha256, type Bytes } from './bytes'
import type { SchemeName } from './suites'

/** The rate of false matches at which server and key holder decide. */
const DEFAULT_FMR = '1e-4'
const MILLION = 1_000_000

/** The least accepted centred cosine of two embeddings. */
export const COSINE_THRESHOLD = file.thresholds.homomorphic[DEFAULT_FMR]

/** The least accepted score as a whole number: millionths of a cosine where embeddings are encrypted. */
export function thresholdUnits(scheme: SchemeName): number {
  const threshold = file.thresholds[scheme][DEFAULT_FMR]
  return scheme === 'homomorphic' ? Math.round(MILLION * threshold) : threshold
}

/** SHA-256 (32 bytes) of contract id and threshold: what a signed header names. */
export async function modelFingerprint(scheme: SchemeName): Promise<Bytes> {
  const id = await contractId()
  const named = new Uint8Array(id.length + 4)
  named.set(id)
  new DataView(named.buffer).setUint32(id.length, thresholdUnits(scheme))
  return sha256(named)
}
