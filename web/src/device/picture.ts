import { store } from './store'
import { seal, unseal } from './vault'

/** The person as this device saw them. Nothing of it is ever sent. */
export interface OwnPicture {
  /** A small JPEG of the person. */
  readonly photo: Blob
  /** The aligned 112×112 crop, RGBA. */
  readonly crop: ImageData
  /** 128 centred unit components: what was measured, the mean of all shots. */
  readonly embedding: Float32Array<ArrayBuffer>
  /** When, in ms since 1970, and from how many shots. */
  readonly takenAt: number
  readonly shots: number
}

/** Keeps the picture of `account` on this device, sealed; replaces the one before. */
export async function keepPicture(account: string, picture: OwnPicture): Promise<void> {
  const photo = new Uint8Array(await picture.photo.arrayBuffer())
  const crop = new Uint8Array(picture.crop.data)
  const embedding = new Uint8Array(picture.embedding.slice().buffer)
  const sealed = {
    photo: await seal(photo, `${account}/photo`),
    crop: await seal(crop, `${account}/crop`),
    embedding: await seal(embedding, `${account}/embedding`),
    takenAt: picture.takenAt,
    shots: picture.shots,
  }
  embedding.fill(0)
  await (await store()).put('pictures', sealed, account)
}

/** The picture of `account`, or null where this device has none. */
export async function ownPicture(account: string): Promise<OwnPicture | null> {
  const sealed = await (await store()).get('pictures', account)
  if (!sealed) return null
  const crop = new Uint8ClampedArray(await unseal(sealed.crop, `${account}/crop`))
  const side = Math.sqrt(crop.length / 4)
  return {
    photo: new Blob([await unseal(sealed.photo, `${account}/photo`)], { type: 'image/jpeg' }),
    crop: new ImageData(crop, side, side),
    embedding: new Float32Array((await unseal(sealed.embedding, `${account}/embedding`)).buffer),
    takenAt: sealed.takenAt,
    shots: sealed.shots,
  }
}

/** Takes the picture of `account` off this device. */
export async function erasePicture(account: string): Promise<void> {
  await (await store()).delete('pictures', account)
}
