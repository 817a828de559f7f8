import { describe, expect, it } from 'vitest'
import { aroundFace, portraitPart } from './frame'

describe('portraitPart', () => {
  it('cuts the middle out of a wide picture and of a tall one', () => {
    expect(portraitPart(640, 480)).toEqual({ x: 140, y: 0, width: 360, height: 480 })
    expect(portraitPart(480, 1000)).toEqual({ x: 0, y: 180, width: 480, height: 640 })
  })
})

describe('aroundFace', () => {
  it('puts the face into the middle, twice its height around it', () => {
    const part = aroundFace([400, 300, 150, 200], 0.5, { width: 1000, height: 1000 })
    expect(part).toEqual({ x: 162.5, y: 100, width: 150, height: 200 })
  })

  it('stays inside the picture', () => {
    expect(aroundFace([-20, -10, 200, 260], 1, { width: 300, height: 400 })).toEqual({
      x: 0,
      y: 0,
      width: 300,
      height: 400,
    })
  })
})
