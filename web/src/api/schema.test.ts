import { readFileSync } from 'node:fs'
import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript'
import { expect, it } from 'vitest'

const here = (name: string): URL => new URL(name, import.meta.url)

it('the types are those of the schema the server exports (else: npm run api)', async () => {
  const fresh = COMMENT_HEADER + astToString(await openapiTS(here('openapi.json')))
  expect(readFileSync(here('schema.d.ts'), 'utf8')).toBe(fresh)
})
