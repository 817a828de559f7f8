import { afterEach, describe, expect, it, vi } from 'vitest'
import { CameraError, cameraFault, nextCamera, openCamera } from './media'
import { portraitPart } from './frame'

function stubDevices(devices: Partial<MediaDevices> | undefined): void {
  vi.stubGlobal('navigator', { mediaDevices: devices })
}

afterEach(() => vi.unstubAllGlobals())

describe('cameraFault', () => {
  it.each([
    ['NotAllowedError', 'denied'],
    ['NotFoundError', 'missing'],
    ['NotReadableError', 'busy'],
    ['SomethingNew', 'unknown'],
  ])('%s is %s', (name, fault) => {
    expect(cameraFault(new DOMException('', name))).toBe(fault)
  })
})

describe('openCamera', () => {
  it('says that a camera needs a secure page', async () => {
    stubDevices(undefined)
    await expect(openCamera()).rejects.toMatchObject({ fault: 'insecure' })
  })

  it('raises with the reason', async () => {
    stubDevices({ getUserMedia: () => Promise.reject(new DOMException('', 'NotAllowedError')) })
    const opening = openCamera()
    await expect(opening).rejects.toBeInstanceOf(CameraError)
    await expect(opening).rejects.toMatchObject({ fault: 'denied' })
  })
})

describe('nextCamera', () => {
  const camera = (deviceId: string) => ({ kind: 'videoinput', deviceId }) as MediaDeviceInfo

  it('goes round', async () => {
    stubDevices({ enumerateDevices: () => Promise.resolve([camera('a'), camera('b')]) })
    expect(await nextCamera('a')).toBe('b')
    expect(await nextCamera('b')).toBe('a')
  })

  it('is null with one camera', async () => {
    stubDevices({ enumerateDevices: () => Promise.resolve([camera('a')]) })
    expect(await nextCamera('a')).toBeNull()
  })
})

describe('portraitPart', () => {
  it('cuts the middle out of a wide picture and of a tall one', () => {
    expect(portraitPart(640, 480)).toEqual({ x: 140, y: 0, width: 360, height: 480 })
    expect(portraitPart(480, 1000)).toEqual({ x: 0, y: 180, width: 480, height: 640 })
  })
})
