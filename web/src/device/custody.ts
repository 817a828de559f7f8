import type { Template } from '@/api'
import { isKeyed, schemeNamed } from '@/protect'
import { hasToken } from './tokens'

/** Whether this device can use the template: it needs no secret, or the secret is here. */
export async function canUse(account: string, template: Pick<Template, 'scheme' | 'epoch'>): Promise<boolean> {
  return !isKeyed(schemeNamed(template.scheme)) || (await hasToken(account, template.epoch))
}
