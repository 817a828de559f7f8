import { FaceEngine } from '@/face'
import { Protector, type SchemeName } from '@/protect'

type Progress = (loaded: number, total: number) => void

let face: Promise<FaceEngine> | undefined
let protector: Promise<Protector> | undefined
const watching = new Set<Progress>()

/** The face engine of this tab, loaded once; `progress` hears of the bytes while it loads. */
export async function faceEngine(progress: Progress = () => undefined): Promise<FaceEngine> {
  watching.add(progress)
  face ??= FaceEngine.load((loaded, total) => {
    for (const watcher of watching) watcher(loaded, total)
  })
  try {
    return await face
  } catch (error) {
    face = undefined
    throw error
  } finally {
    watching.delete(progress)
  }
}

/** The protector of this tab, ready for `scheme`; asked for early, it is ready when the shot is. */
export async function templateProtector(scheme: SchemeName): Promise<Protector> {
  protector ??= Protector.load(scheme)
  try {
    const ready = await protector
    await ready.prepare(scheme)
    return ready
  } catch (error) {
    protector = undefined
    throw error
  }
}
