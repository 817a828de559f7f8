/** Why there is no picture; each has its own page with a way out. */
export type CameraFault = 'denied' | 'missing' | 'busy' | 'lost' | 'insecure' | 'unknown'

export class CameraError extends Error {
  readonly fault: CameraFault

  constructor(fault: CameraFault, options?: ErrorOptions) {
    super(`camera ${fault}`, options)
    this.name = 'CameraError'
    this.fault = fault
  }
}

const FAULTS: Readonly<Record<string, CameraFault>> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'missing',
  OverconstrainedError: 'missing',
  NotReadableError: 'busy',
  AbortError: 'busy',
}

/** Tells the fault from what the browser threw. */
export function cameraFault(error: unknown): CameraFault {
  if (error instanceof CameraError) return error.fault
  return (error instanceof Error ? FAULTS[error.name] : undefined) ?? 'unknown'
}

/** One open camera. */
export interface Camera {
  readonly stream: MediaStream
  readonly deviceId: string
  /** A camera that looks at the person is shown like a mirror. */
  readonly mirrored: boolean
}

/** Which way a camera looks: at the person, or where the person looks. */
export type Facing = 'user' | 'environment'

/**
 * Opens the camera `deviceId`, or one that looks that way.
 * @throws CameraError with the reason
 */
export async function openCamera(deviceId?: string, facing: Facing = 'user'): Promise<Camera> {
  const media = navigator.mediaDevices as MediaDevices | undefined
  if (!media) throw new CameraError('insecure')
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: { ideal: facing } }
  try {
    const stream = await media.getUserMedia({
      audio: false,
      video: { ...which, width: { ideal: 1280 }, height: { ideal: 960 } },
    })
    const settings = stream.getVideoTracks()[0]?.getSettings() ?? {}
    return { stream, deviceId: settings.deviceId ?? '', mirrored: (settings.facingMode ?? facing) !== 'environment' }
  } catch (error) {
    throw new CameraError(cameraFault(error), { cause: error })
  }
}

/** Switches the light at the camera off. */
export function closeCamera(camera: Camera | null): void {
  camera?.stream.getTracks().forEach((track) => { track.stop(); })
}

/** The camera after `current` in the machine's list, or null when there is only one. */
export async function nextCamera(current: string): Promise<string | null> {
  const devices = await navigator.mediaDevices.enumerateDevices()
  const cameras = devices.filter((device) => device.kind === 'videoinput' && device.deviceId !== '')
  if (cameras.length < 2) return null
  const index = cameras.findIndex((device) => device.deviceId === current)
  return cameras[(index + 1) % cameras.length]?.deviceId ?? null
}
