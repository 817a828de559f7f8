/** Small choices kept in this browser (theme, language). Never anything about a face or an account. */

const PREFIX = 'veilface.'

/** The remembered choice, or undefined where there is none, it is unknown, or storage is off. */
export function storedChoice<T extends string>(name: string, allowed: readonly T[]): T | undefined {
  try {
    const value = localStorage.getItem(PREFIX + name)
    return allowed.find((choice) => choice === value)
  } catch {
    return undefined
  }
}

/** Remembers a choice, or forgets it when `value` is undefined. */
export function storeChoice(name: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + name)
    else localStorage.setItem(PREFIX + name, value)
  } catch {
    // Private windows may refuse storage; the choice then lasts for this visit only.
  }
}
