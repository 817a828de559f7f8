import { computed, onBeforeUnmount, onMounted, ref, shallowRef } from 'vue'
import { api, type Template } from '@/api'
import type { DataSource } from '@/components/data/numbers'
import { storedSource } from '@/components/data/sources'
import { canUse } from '@/device/custody'
import { recall } from '@/device/memory'
import { erasePicture, ownPicture, type OwnPicture } from '@/device/picture'
import type { Alarm } from '@/device/store'
import type { Records, SchemeName } from '@/protect'
import { refreshAccount, session } from '@/stores/session'
import { madeHere } from './madeHere'

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
      await draw(id, current)
    } catch (error) {
      trouble.value = error
    } finally {
      loading.value = false
    }
  }

  /** A ciphertext as the server has it; what a keyed protection stores is made here, as the server keeps it to itself. */
  async function draw(id: string, current: Template | null): Promise<void> {
    stored.value = null
    records.value = null
    if (!current) return
    const scheme: SchemeName = current.scheme
    if (scheme === 'homomorphic') {
      stored.value = storedSource(scheme, await api.templateData(current.id))
    } else if (picture.value) {
      const made = await madeHere(id, current, scheme, picture.value)
      stored.value = made?.template ?? null
      records.value = made?.records ?? null
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
