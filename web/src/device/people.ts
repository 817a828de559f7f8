/** Who was logged in on this device: names and pictures are here only, sealed, and any of them can be forgotten. */
import type { Account, Hex } from '@/api'
import { recall, remember } from './memory'
import { erasePicture, ownPicture } from './picture'
import { store } from './store'
import { seal, unseal } from './vault'

export interface Person {
  readonly id: Hex
  readonly username: string
  readonly displayName: string
  /** This device has made a face of theirs known, so they may log in by it. */
  readonly byFace: boolean
  /** The small picture, null where this device has none. */
  readonly photo: Blob | null
}

/** Remembers who is logged in; the last one comes first on the login page. A face may have been deleted elsewhere. */
export async function rememberPerson({ id, username, display_name, template }: Account): Promise<void> {
  const names = new TextEncoder().encode(JSON.stringify([username, display_name]))
  const person = { names: await seal(names, label(id)), lastSeen: Date.now() }
  await (await store()).put('people', person, id)
  if (template === null && (await recall(id)).scheme !== null) await remember(id, () => ({ scheme: null }))
}

/** Everybody this device remembers, the last one first. What cannot be opened any more is left out. */
export async function rememberedPeople(): Promise<Person[]> {
  const database = await store()
  const ids = await database.getAllKeys('people')
  const people = await Promise.all(ids.map(async (id) => [(await database.get('people', id))?.lastSeen ?? 0, await open(id)] as const))
  return people
    .sort(([one], [other]) => other - one)
    .flatMap(([, person]) => (person ? [person] : []))
}

/**
 * Takes somebody off the login page, and their picture and embedding off this device. It stays a device of the account,
 * with its key: whoever logs in again by password need not register it again.
 */
export async function forgetPerson(id: Hex): Promise<void> {
  await (await store()).delete('people', id)
  await erasePicture(id)
}

async function open(id: Hex): Promise<Person | null> {
  const kept = await (await store()).get('people', id)
  if (!kept) return null
  try {
    const names: unknown = JSON.parse(new TextDecoder().decode(await unseal(kept.names, label(id))))
    const [username, displayName] = names as [string, string]
    const picture = await ownPicture(id)
    picture?.embedding.fill(0)
    return { id, username, displayName, byFace: (await recall(id)).scheme !== null, photo: picture?.photo ?? null }
  } catch {
    return null
  }
}

function label(id: Hex): string {
  return `${id}/names`
}
