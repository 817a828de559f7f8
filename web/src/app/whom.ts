import type { Person } from '@/device/people'

/**
 * Of whom one login page tells the next: with the entry in this browser's history. An address would end up in the
 * server's logs and in pictures of the screen.
 */
export interface Whom extends Record<string, string | undefined> {
  /** The account that is to log in by face. */
  readonly who?: string
  /** The user name that is to stand in the field. */
  readonly as?: string
}

/** What the page before told, if anything. */
export function toldOf(key: keyof Whom & string): string | undefined {
  const told = (history.state as Record<string, unknown> | null)?.[key]
  return typeof told === 'string' ? told : undefined
}

/** The one who was told of, or else who left last; nobody where another than the one told of would be greeted. */
export function greeted(people: readonly Person[], who: string | undefined): Person | undefined {
  return who === undefined ? people[0] : people.find(({ id }) => id === who)
}
