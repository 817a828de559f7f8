import { describe, expect, it } from 'vitest'
import { FaceError } from './errors'
import { dominant } from './pipeline'
import type { Face } from './types'

function face(prominence: number): Face {
  const measures = { size: 90, sharpness: 1, brightness: 120, yaw: 0, pitch: 0, roll: 0, occlusion: 0 }
  return { box: [0, 0, 1, 1], landmarks: [], score: 0.9, quality: { ...measures, problems: [] }, prominence }
}

describe('the face that is meant', () => {
  it('is the only one', () => {
    expect(dominant([face(80)]).prominence).toBe(80)
  })

  it('is the prominent one among bystanders', () => {
    expect(dominant([face(20), face(80), face(35)]).prominence).toBe(80)
  })

  it('is nobody without a face', () => {
    expect(() => dominant([])).toThrow('face.no_face')
  })

  it('is nobody among equals, and their number is told', () => {
    const refused = (): FaceError => {
      try {
        dominant([face(80), face(79), face(36), face(35)])
      } catch (error) {
        if (error instanceof FaceError) return error
      }
      throw new Error('was not refused')
    }
    expect(refused().code).toBe('face.several_faces')
    expect(refused().details).toEqual({ count: 3 })
  })
})
