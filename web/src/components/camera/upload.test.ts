import { describe, expect, it, vi } from 'vitest'
import type { FaceEngine } from '@/face'
import { NoShot } from './shot'
import { readUpload, uploadProblem } from './upload'

vi.mock('@/face', () => ({ decodePicture: vi.fn(() => Promise.reject(new Error('must not be decoded'))) }))

const engine = Object.create(null) as FaceEngine

describe('uploadProblem', () => {
  it('names what is wrong with the file or with the face in it', () => {
    expect(uploadProblem(Object.assign(new Error(), { code: 'face.broken_picture' }))).toBe('broken_picture')
    expect(uploadProblem(new NoShot('several_faces'))).toBe('several_faces')
    expect(uploadProblem(new Error('anything else'))).toBe('failed')
  })
})

describe('readUpload', () => {
  it('refuses a heavy file before anything reads it', async () => {
    const file = { name: 'a.jpg', size: 7_000_000 } as File
    expect(await readUpload(engine, file)).toEqual({ name: 'a.jpg', problem: 'picture_too_heavy' })
  })

  it('never raises, so that other files go on', async () => {
    expect(await readUpload(engine, new File(['x'], 'b.jpg'))).toEqual({ name: 'b.jpg', problem: 'failed' })
  })
})
