/** The databases of this browser, each opened once. */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import { DeviceError } from '@/device/errors'

/**
 * What opens the database of that name and shape, the first time it is called and after it was closed.
 * `upgrade` brings one of an earlier version up to date; a new one is of version 0.
 * What is returned rejects with DeviceError other_tabs while an older page of this site stands in the way.
 */
export function opener<Schema extends DBSchema>(
  name: string,
  version: number,
  upgrade: (database: IDBPDatabase<Schema>, before: number) => void,
): () => Promise<IDBPDatabase<Schema>> {
  let opened: Promise<IDBPDatabase<Schema>> | undefined

  /** A newer page wants to change the database; this one opens it again when it needs it. */
  function giveWay(): void {
    void opened?.then((database) => {
      database.close()
    })
    opened = undefined
  }

  function open(): Promise<IDBPDatabase<Schema>> {
    return new Promise((resolve, reject) => {
      const opening = openDB<Schema>(name, version, {
        upgrade,
        blocked() {
          reject(new DeviceError('other_tabs'))
          // It opens once the other tab is closed; by then nobody waits for it.
          void opening.then((database) => {
            database.close()
          })
        },
        blocking: giveWay,
        terminated() {
          opened = undefined
        },
      })
      opening.then(resolve, reject)
    })
  }

  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }
}
