import { computed, onBeforeUnmount, onMounted, ref, shallowRef } from 'vue'
import { api, type Template } from '@/api'
import { fromHex } from '@/api/bytes'
import type { DataSource } from '@/components/data/numbers'
import { storedSource } from '@/components/data/sources'
import { canUse } from '@/device/custody'
import { recall } from '@/device/memory'
import { erasePicture, ownPicture, type OwnPicture } from '@/device/picture'
import type { Alarm } from '@/device/store'
import { tokenOf } from '@/device/tokens'
import { kHidden, negativeBits, sameBytes, sha256, type Records } from '@/protect'
import { refreshAccount, session } from '@/stores/session'

/** Everything there is about one's own face: what this device keeps, and what the server has. */
export function useMyData() {
  const account = computed(() => session.account)
  const template = computed<Template | null>(() => session.account?.template ?? null)
  const picture = shallowRef<OwnPicture | null>(null)
  const photo = ref('')
  const records = shallowRef<Records | null>(null)
  const stored = shallowRef<DataSource | null>(null)
  /** This device can use the template. */
  const usable = ref(true)
  const alarm = shallowRef<Alarm | null>(null)
  const trouble = shallowRef<unknown>(null)
  const loading = ref(true)

  async function load(): Promise<void> {
    trouble.value = null
    loading.value = true
    try {
      const { id, template: current } = await refreshAccount()
      alarm.value = (await recall(id)).alarm
      usable.value = current ? await canUse(id, current) : true
      show(current && usable.value ? await ownPicture(id) : null)
      stored.value = current ? storedSource(current.scheme, await api.templateData(current.id)) : null
      records.value = current && picture.value ? await recordsOf(id, current, picture.value) : null
    } catch (error) {
      trouble.value = error
    } finally {
      loading.value = false
    }
  }

  function show(own: OwnPicture | null): void {
    hide()
    picture.value = own
    photo.value = own ? URL.createObjectURL(own.photo) : ''
  }

  function hide(): void {
    if (photo.value) URL.revokeObjectURL(photo.value)
    picture.value?.embedding.fill(0)
    picture.value = null
    photo.value = ''
  }

  /** The template is gone: its picture goes with it. */
  async function forgetPicture(): Promise<void> {
    hide()
    if (account.value) await erasePicture(account.value.id)
    await load()
  }

  onMounted(load)
  onBeforeUnmount(hide)
  return { account, template, picture, photo, records, stored, usable, alarm, trouble, loading, load, forgetPicture }
}

/**
 * Records of a negative database as its enrolment made some, to be looked at and forgotten: the counts on the server
 * came from others. Null for every other protection, and where the server gives another epoch's key.
 */
async function recordsOf(account: string, template: Template, { embedding }: OwnPicture): Promise<Records | null> {
  if (template.scheme !== 'negative') return null
  const token = await tokenOf(account, template.epoch)
  const key = await api.publicKey(template.key_fp)
  if (!token || !sameBytes(await sha256(key), fromHex(template.key_fp))) return null
  const records = kHidden(await negativeBits(embedding, { key, token }))
  token.fill(0)
  return records
}
