/**
 * The embedding contract: what two embeddings must share before they may be compared.
 *
 * The file is the one that Python reads (src/veilface/contract.py); ids and fingerprints are computed alike.
 */
import file from '../../src/veilface/contract.json'

export interface Contract {
  readonly version: number
  readonly detector_sha256: string
  readonly embedder_sha256: string
  readonly preprocessing: string
  /** 128 integers in units of 1/16384: the mean that is taken from every embedding. */
  readonly mu: readonly number[]
  /** The least accepted centred cosine, in millionths. */
  readonly threshold_millionths: number
}

export const CONTRACT: Contract = file
export const MU_UNIT = 16384

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

/** SHA-256 (32 bytes) of everything that shapes an embedding: canonical JSON with sorted keys and no spaces. */
export function contractId(contract: Contract = CONTRACT): Promise<Uint8Array<ArrayBuffer>> {
  const { detector_sha256, embedder_sha256, mu, preprocessing, version } = contract
  const canonical = JSON.stringify({ detector_sha256, embedder_sha256, mu, preprocessing, version })
  return sha256(new TextEncoder().encode(canonical))
}

/** SHA-256 (32 bytes) of the contract id and the threshold: what a signed header names. */
export async function modelFingerprint(contract: Contract = CONTRACT): Promise<Uint8Array<ArrayBuffer>> {
  const id = await contractId(contract)
  const named = new Uint8Array(id.length + 4)
  named.set(id)
  new DataView(named.buffer).setUint32(id.length, contract.threshold_millionths)
  return sha256(named)
}
