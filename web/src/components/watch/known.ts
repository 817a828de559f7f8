import { ApiError, type Hex, type Person } from '@/api'

/** Somebody who is in the gallery already. */
export type Known = Pick<Person, 'id' | 'name' | 'kind'>

/** Who the refusal of a registration says is there already. */
export function knownFrom(error: unknown): Known | null {
  if (!(error instanceof ApiError) || error.code !== 'galleries.person_known') return null
  const { person, name, kind } = error.details
  return { id: String(person) satisfies Hex, name: String(name), kind: kind === 'account' ? 'account' : 'kiosk' }
}
