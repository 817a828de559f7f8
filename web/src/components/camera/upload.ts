import { decodePicture, type FaceEngine, type ProblemCode } from '@/face'
import { MAX_BYTES } from '@/face/header'
import { makeShot, NoShot, type Shot } from './shot'

export const ACCEPTED = ['image/jpeg', 'image/png', 'image/webp'] as const

/** Why a file cannot be used: what is wrong with the file, or with the face in it. */
export type UploadProblem = ProblemCode | (typeof FILE_PROBLEMS)[number] | 'failed'

/** The codes of `face` for files, without their prefix. */
const FILE_PROBLEMS = [
  'unknown_picture_type',
  'broken_picture',
  'picture_too_heavy',
  'too_many_pixels',
  'picture_too_small',
] as const

export interface Refusal {
  readonly name: string
  readonly problem: UploadProblem
}

/** A shot from a picture file, or why not. Never raises: one bad file does not stop the others. */
export async function readUpload(engine: FaceEngine, file: File): Promise<Shot | Refusal> {
  if (file.size > MAX_BYTES) return { name: file.name, problem: 'picture_too_heavy' }
  try {
    return await makeShot(engine, await decodePicture(file))
  } catch (error) {
    return { name: file.name, problem: uploadProblem(error) }
  }
}

export function uploadProblem(error: unknown): UploadProblem {
  if (error instanceof NoShot) return error.problem
  const code = error instanceof Error && 'code' in error ? String(error.code).replace('face.', '') : ''
  return FILE_PROBLEMS.find((known) => known === code) ?? 'failed'
}
