import { parseRanks, RANKING, type SchemeName } from '@/protect'
import type { DataSource } from './numbers'
import { paintCounts, paintEmbedding, paintRanks, paintRecords, paintWords, type Colour, type Pixels } from './paint'
import { excerpt } from './records'

/** So many that each is legible, and few enough that their columns fit. */
const RECORDS_SHOWN = 6

/**
 * A stored template as something to look at.
 * @param template `templateBytes` of the scheme
 * @throws ProtectError malformed_template for ranks nobody can have made
 */
export function storedSource(scheme: SchemeName, template: Uint8Array): DataSource {
  switch (scheme) {
    case 'homomorphic':
      return { kind: 'words', bytes: template }
    case 'ranking':
      return { kind: 'ranks', ranks: parseRanks(template), group: RANKING.group }
    case 'negative':
      return { kind: 'counts', counts: Int8Array.from(template) }
  }
}

/** The pixels of every source but a crop, which is a picture already; `colour` gives a design token's present colour. */
export function paint(source: Exclude<DataSource, { kind: 'crop' }>, colour: (token: string) => Colour): Pixels {
  const signs = {
    ground: colour('--surface'),
    tile: colour('--sunken'),
    negative: colour('--attention'),
    positive: colour('--accent'),
  }
  switch (source.kind) {
    case 'embedding':
      return paintEmbedding(source.values, signs)
    case 'words':
      return paintWords(source.bytes, colour('--picture-dark'), colour('--picture-light'))
    case 'ranks':
      return paintRanks(source.ranks, source.group, colour('--accent-soft'), colour('--accent'))
    case 'records':
      return paintRecords(excerpt(source.records, RECORDS_SHOWN), { ...signs, any: colour('--line-strong') })
    case 'counts':
      return paintCounts(source.counts, signs)
  }
}
