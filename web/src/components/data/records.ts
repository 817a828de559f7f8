/** The records of a negative database as people can look at them. */
import { SPECIFIED, type Records } from '@/protect'

export type Ternary = '0' | '1' | '∗'

/** A few whole records, in the columns of the positions that any of them specifies. */
export interface Excerpt {
  /** Rising. */
  readonly positions: readonly number[]
  readonly rows: readonly (readonly Ternary[])[]
}

/** The first `count` records; everything they leave out is ∗. */
export function excerpt(records: Records, count: number): Excerpt {
  const shown = Array.from({ length: count }, (_, index) => specified(records, index))
  const positions = [...new Set(shown.flatMap((record) => [...record.keys()]))].sort((left, right) => left - right)
  return { positions, rows: shown.map((record) => positions.map((position) => record.get(position) ?? '∗')) }
}

/** How many records there are. */
export function recordTotal({ positions }: Records): number {
  return positions.length / SPECIFIED
}

/** A record in words: "17=1 530=0 1999=1"; every other position is ∗. */
export function recordWords(records: Records, index: number): string {
  return Array.from(specified(records, index), ([position, value]) => `${position}=${value}`).join(' ')
}

function specified({ positions, values }: Records, index: number): Map<number, Ternary> {
  const places = Array.from({ length: SPECIFIED }, (_, offset) => SPECIFIED * index + offset)
  return new Map(places.map((place) => [positions[place] ?? 0, values[place] ? '1' : '0']))
}
