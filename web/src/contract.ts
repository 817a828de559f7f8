/**
 * The embedding contract: what two embeddings must share before they may be compared.
 *
 * The file is the one that Python reads (src/veilface/contract.py); the id is computed alike.
 */
import file from '../../src/veilface/contract.json'

export interface Contract {
  readonly version: number
  readonly detector_sha256: string
  readonly embedder_sha256: string
  readonly preprocessing: string
  /** 128 integers in units of 1/16384: the mean that is taken from every embedding. */
  readonly mu: readonly number[]
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
