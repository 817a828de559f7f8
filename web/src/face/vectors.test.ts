import { describe, expect, it } from 'vitest'
import alignerVectors from '../../../vectors/face-aligner.json'
import detectorVectors from '../../../vectors/face-detector.json'
import embedderVectors from '../../../vectors/face-embedder.json'
import headerVectors from '../../../vectors/face-header.json'
import qualityVectors from '../../../vectors/face-quality.json'
import resampleVectors from '../../../vectors/face-resample.json'
import { contractId } from '../contract'
import { align, fit, TEMPLATE } from './aligner'
import { decode, detectionSize, overlap, suppress, windowAround } from './detector'
import { averageEmbeddings, centre } from './embedder'
import { FaceError } from './errors'
import { readHeader } from './header'
import { workingFactor } from './picture'
import { prominence } from './pipeline'
import { ACCEPTABLE, COMFORTABLE, measure, pose, problemsOf } from './quality'
import { cut, reduce, resize } from './resample'
import type { Box, Detection, Pixels, Point } from './types'

/** The numbers below 65,536 that tools/face_vectors.py draws. */
function numbers(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, index) => (Math.imul(index + seed, 2654435761) >>> 8) & 0xffff)
}

function noise(width: number, height: number, seed: number): Pixels {
  return { width, height, data: Uint8Array.from(numbers(width * height * 3, seed), (value) => value & 255) }
}

async function sha256({ data }: Pixels): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', data)))
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const points = (values: number[][]): Point[] => values.map(([x, y]) => [x ?? NaN, y ?? NaN])
const box = ([x, y, width, height]: number[]): Box => [x ?? NaN, y ?? NaN, width ?? NaN, height ?? NaN]

/** Every number in `got` lies within a millionth of `expected`'s. */
function expectClose(got: readonly number[], expected: readonly number[]): void {
  expect(got.length).toBe(expected.length)
  for (const [index, value] of expected.entries()) {
    expect(Math.abs((got[index] ?? NaN) - value)).toBeLessThan(1e-6 * Math.max(1, Math.abs(value)))
  }
}

function expectSameFaces(got: readonly Detection[], expected: { box: number[]; landmarks: number[][]; score: number }[]) {
  expect(got.length).toBe(expected.length)
  for (const [index, face] of expected.entries()) {
    const seen = got[index]
    expectClose([...(seen?.box ?? []), ...(seen?.landmarks.flat() ?? []), seen?.score ?? NaN], [
      ...face.box,
      ...face.landmarks.flat(),
      face.score,
    ])
  }
}

describe('pictures are resampled byte for byte as Pillow does it', () => {
  it.each(resampleVectors.reduce)('reduces by $factor', async ({ width, height, seed, factor, sha256: expected }) => {
    expect(await sha256(reduce(noise(width, height, seed), factor))).toBe(expected)
  })

  it.each(resampleVectors.resize)('resizes to $to_width × $to_height', async (size) => {
    const picture = noise(size.width, size.height, size.seed)
    expect(await sha256(resize(picture, size.to_width, size.to_height))).toBe(size.sha256)
  })

  it.each(resampleVectors.cut)('cuts at $left, $top', async ({ left, top, width, height, sha256: expected }) => {
    expect(await sha256(cut(noise(20, 10, 2), left, top, width, height))).toBe(expected)
  })

  it('chooses the same sizes', () => {
    for (const { size, factor } of resampleVectors.working_factor) {
      expect(workingFactor(size[0] ?? 0, size[1] ?? 0)).toBe(factor)
    }
    for (const { size, detection_size } of resampleVectors.detection_size) {
      expect(detectionSize(size[0] ?? 0, size[1] ?? 0, 320)).toEqual(detection_size)
    }
  })
})

describe('the aligner', () => {
  it.each(alignerVectors.cases)('fits and crops as Python does', async ({ landmarks, fit: expected, sha256: crop }) => {
    const { width, height, seed } = alignerVectors.picture
    const { a, b, dx, dy } = fit(TEMPLATE, points(landmarks))
    expectClose([a, b, dx, dy], [expected.a, expected.b, expected.dx, expected.dy])
    expect(await sha256(align(noise(width, height, seed), points(landmarks)))).toBe(crop)
  })
})

describe('the detector', () => {
  const { outputs, stride, columns, decoded, kept, overlaps, windows } = detectorVectors

  it('decodes and suppresses', () => {
    const found = decode(outputs, stride, columns)
    expectSameFaces(found, decoded)
    expectSameFaces(suppress(found), kept)
  })

  it('measures overlaps', () => {
    for (const { first, second, overlap: expected } of overlaps) {
      expect(overlap(box(first), box(second))).toBeCloseTo(expected, 9)
    }
  })

  it('looks closer through the same windows', () => {
    const [face] = decode(outputs, stride, columns)
    if (!face) throw new Error('no face')
    const made = [1.6, 2].map((size) => windowAround(face, size))
    expect(made.map(({ left, top, side }) => [left, top, side])).toEqual(windows)
  })
})

describe('quality', () => {
  it.each(qualityVectors.crops)('measures a crop with contrast $contrast', ({ seed, contrast, measures }) => {
    const grain = numbers(112 * 112 * 3, seed)
    const data = Uint8Array.from(grain, (value, index) => {
      const [x, y] = [Math.floor(index / 3) % 112, Math.floor(index / 336)]
      const shape = [y + 60, x + 40, 200 - y][index % 3] ?? 0
      return Math.floor(Math.min(255, Math.max(0, shape + contrast * ((value & 255) / 255))))
    })
    const face: Detection = { box: [5, 6, 80, 100], landmarks: points(qualityVectors.landmarks), score: 0.9 }
    const got = measure({ width: 112, height: 112, data }, face)
    expectClose(
      [got.size, got.sharpness, got.brightness, got.yaw, got.pitch, got.roll, got.occlusion],
      Object.values(measures),
    )
  })

  it('estimates the pose', () => {
    for (const { landmarks, pose: expected } of qualityVectors.poses) {
      const { yaw, pitch, roll } = pose(points(landmarks))
      expectClose([yaw, pitch, roll], [expected.yaw, expected.pitch, expected.roll])
    }
  })

  it('names the same problems in the same order', () => {
    for (const { measures, box: values, landmarks, prominence: expected, acceptable, comfortable } of qualityVectors.problems) {
      const face = { box: box(values), landmarks: points(landmarks) }
      expect(problemsOf(measures, face, 400, 300, ACCEPTABLE)).toEqual(acceptable)
      expect(problemsOf(measures, face, 400, 300, COMFORTABLE)).toEqual(comfortable)
      expectClose([prominence(box(values), 400, 300)], [expected])
    }
  })
})

describe('embeddings', () => {
  it('belong to the same contract', async () => {
    expect(hex(await contractId())).toBe(embedderVectors.contract_id)
  })

  it('are centred and averaged', () => {
    const made = embedderVectors.raw.map(centre)
    for (const [index, embedding] of made.entries()) expectClose([...embedding], embedderVectors.embeddings[index] ?? [])
    expectClose([...averageEmbeddings(made)], embedderVectors.average)
    expect(() => averageEmbeddings([])).toThrow(RangeError)
  })
})

describe('headers', () => {
  it.each(headerVectors.files)('of $name', ({ base64, header, code }) => {
    const data = Uint8Array.from(Buffer.from(base64, 'base64'))
    if (header) {
      expect(readHeader(data)).toEqual(header)
      return
    }
    expect(() => readHeader(data)).toThrow(FaceError)
    expect(() => readHeader(data)).toThrow(code)
  })
})
