import { afterEach, describe, expect, it, vi } from 'vitest'
import { CameraError, cameraFault, nextCamera, openCamera } from './media'

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
