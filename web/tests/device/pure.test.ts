import { describe, expect, it, vi } from 'vitest'
import { deviceName } from '@/device/name'
import { signedOrigin } from '@/device/self'

vi.mock('@/stores/session', () => ({}))

describe('signedOrigin', () => {
  const at = (url: string): URL => new URL(url)

  it('is where the page is, whatever the server claims', () => {
    expect(signedOrigin(at('https://evil.example/'), 'https://face.example')).toBe('https://evil.example')
    expect(signedOrigin(at('https://face.example/'), 'https://face.example')).toBe('https://face.example')
  })

  it('takes the names of this very machine for one place', () => {
    expect(signedOrigin(at('http://127.0.0.1:8000/'), 'http://localhost:8000')).toBe('http://localhost:8000')
    expect(signedOrigin(at('http://127.0.0.1:8001/'), 'http://localhost:8000')).toBe('http://127.0.0.1:8001')
    expect(signedOrigin(at('https://evil.example/'), 'http://localhost:8000')).toBe('https://evil.example')
  })
})

describe('deviceName', () => {
  it('names browser and system', () => {
    const android = 'Mozilla/5.0 (Linux; Android 15; Pixel 7) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36'
    expect(deviceName(android)).toBe('Chrome · Android')
    expect(deviceName('something else')).toBe('Browser')
  })
})
