import 'fake-indexeddb/auto'
import { openDB } from 'idb'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { Account } from '@/api'
import { forgetPerson, rememberedPeople, rememberPerson } from './people'
import { erasePicture, keepPicture, ownPicture } from './picture'
import { store } from './store'
import { fingerprint, pinnedKeyHolder, trustKeyHolder } from './trust'
import { seal, unseal } from './vault'

const SITE = 'https://site.example'
const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.from(values)

beforeAll(() => {
  vi.stubGlobal(
    'ImageData',
    class {
      readonly data: Uint8ClampedArray
      readonly width: number
      readonly height: number
      constructor(data: Uint8ClampedArray, width: number, height: number) {
        this.data = data
        this.width = width
        this.height = height
      }
    },
  )
})

describe('the database beside an old tab', () => {
  it('says so instead of waiting, and opens once that is closed', async () => {
    const real = indexedDB
    vi.stubGlobal('indexedDB', new IDBFactory())
    vi.resetModules()
    const fresh = await import('./store')
    const old = await openDB('veilface-device', 1, {
      upgrade(database) {
        for (const name of ['secrets', 'pictures', 'pins', 'accounts']) database.createObjectStore(name)
      },
    })
    await expect(fresh.store()).rejects.toMatchObject({ code: 'other_tabs' })
    old.close()
    expect([...(await fresh.store()).objectStoreNames]).toContain('tokens')
    vi.stubGlobal('indexedDB', real)
  })
})

describe('vault', () => {
  it('opens what it sealed, under the same label only', async () => {
    const sealed = await seal(bytes(1, 2, 3), 'a')
    expect(await unseal(sealed, 'a')).toEqual(bytes(1, 2, 3))
    await expect(unseal(sealed, 'b')).rejects.toThrow()
  })

  it('keeps a key that nobody can read', async () => {
    await seal(bytes(1), 'a')
    const key = await (await store()).get('secrets', 'vault')
    expect(key?.extractable).toBe(false)
  })
})

describe('own picture', () => {
  const picture = {
    photo: new Blob([bytes(9, 9, 9)], { type: 'image/jpeg' }),
    crop: () => new ImageData(new Uint8ClampedArray(2 * 2 * 4).fill(77), 2, 2),
    embedding: Float32Array.from({ length: 128 }, (_, index) => index / 128),
  }

  it('comes back as it was, and goes when it is erased', async () => {
    await keepPicture('account-a', { ...picture, crop: picture.crop(), takenAt: 5, shots: 3 })
    const kept = await ownPicture('account-a')
    expect(kept?.embedding).toEqual(picture.embedding)
    expect(kept?.crop.width).toBe(2)
    expect(await kept?.photo.arrayBuffer()).toEqual(bytes(9, 9, 9).buffer)
    expect(await ownPicture('account-b')).toBeNull()
    await erasePicture('account-a')
    expect(await ownPicture('account-a')).toBeNull()
  })

  it('is never stored in the open', async () => {
    await keepPicture('account-c', { ...picture, crop: picture.crop(), takenAt: 5, shots: 3 })
    const kept = await (await store()).get('pictures', 'account-c')
    const stored = new Uint8Array(kept?.embedding.bytes ?? new ArrayBuffer())
    expect(stored.length).toBe(128 * 4 + 16)
    expect(stored.slice(0, 512)).not.toEqual(new Uint8Array(picture.embedding.buffer))
  })
})

it('somebody this device is to forget leaves no name, photo or embedding here', async () => {
  const [id, other] = ['a'.repeat(32), 'b'.repeat(32)]
  for (const each of [id, other]) {
    await rememberPerson({ id: each, username: each, display_name: '试用者', template: null } as Account)
    const crop = new ImageData(new Uint8ClampedArray(2 * 2 * 4), 2, 2)
    await keepPicture(each, { photo: new Blob(['x']), crop, embedding: new Float32Array(128), takenAt: 1, shots: 1 })
  }
  await forgetPerson(id)
  expect((await rememberedPeople()).map((person) => person.id)).toEqual([other])
  expect(await (await store()).get('pictures', id)).toBeUndefined()
  expect(await ownPicture(other)).not.toBeNull()
})

describe('key holder pin', () => {
  it('trusts the first and refuses another until the person says so', async () => {
    const first = bytes(4, 1, 1)
    const second = bytes(4, 2, 2)
    await pinnedKeyHolder(first, SITE)
    expect(await pinnedKeyHolder(first, SITE)).toEqual(first)
    const details = { known: await fingerprint(first), offered: await fingerprint(second) }
    await expect(pinnedKeyHolder(second, SITE)).rejects.toMatchObject({ code: 'keyholder_changed', details })
    await trustKeyHolder(second, SITE)
    expect(await pinnedKeyHolder(second, SITE)).toEqual(second)
  })
})
