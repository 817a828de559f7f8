import 'fake-indexeddb/auto'
import { openDB } from 'idb'
import { expect, it } from 'vitest'
import { recallKiosk } from './store'

const NAME = 'veilface-kiosk'

it('the memory of the first version is found again, and an old tab or a newer one keeps nobody waiting', async () => {
  const old = await openDB(NAME, 1, {
    upgrade(database) {
      database.createObjectStore('kiosk')
    },
  })
  await old.put('kiosk', { token: 't' }, 'this')
  await expect(recallKiosk()).rejects.toMatchObject({ code: 'other_tabs' })
  old.close()
  expect(await recallKiosk()).toEqual({ token: 't' })
  const newer = await openDB(NAME, 3) // without giving way it would never open
  newer.close()
  await expect(recallKiosk()).rejects.toMatchObject({ name: 'VersionError' })
})
