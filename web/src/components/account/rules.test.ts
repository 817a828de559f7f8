import { describe, expect, it } from 'vitest'
import { check, fieldOf, type NewAccountForm } from './rules'

const good: NewAccountForm = { username: 'lan.42', displayName: '阿岚', password: '海边的第三块石头下面', consent: true }

describe('a new account', () => {
  it('that keeps the rules has nothing wrong', () => {
    expect(check(good)).toEqual({})
  })

  it.each(['', 'ab', '-lan', '阿岚', 'with space', 'x'.repeat(33)])('may not be called %j', (username) => {
    expect(check({ ...good, username })).toEqual({ username: 'account.wrong.username' })
  })

  it.each(['', '   ', '名'.repeat(41)])('may not show itself as %j', (displayName) => {
    expect(check({ ...good, displayName })).toEqual({ displayName: 'account.wrong.displayName' })
  })

  it('counts characters, not code units', () => {
    expect(check({ ...good, displayName: '𠮷'.repeat(40), password: '𠮷'.repeat(9) })).toEqual({
      password: 'account.wrong.password',
    })
  })

  it('needs a password that is not its name, and consent', () => {
    expect(check({ ...good, username: 'lan.of.the.sea', password: 'Lan.Of.The.Sea' })).toEqual({
      password: 'account.wrong.passwordIsName',
    })
    expect(check({ ...good, consent: false })).toEqual({ consent: 'account.wrong.consent' })
  })
})

describe('what the server refuses', () => {
  it('is shown at its field', () => {
    expect(fieldOf('server.username_taken')).toBe('username')
    expect(fieldOf('server.terms_changed')).toBe('consent')
    expect(fieldOf('server_down')).toBeUndefined()
  })
})
