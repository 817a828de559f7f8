import { computed, onBeforeUnmount, onMounted, ref, shallowRef } from 'vue'
import { api, type Template } from '@/api'
import { recall } from '@/device/memory'
import { erasePicture, ownPicture, type OwnPicture } from '@/device/picture'
import type { Alarm } from '@/device/store'
import { refreshAccount, session } from '@/stores/session'

/** Everything there is about one's own face: what this device keeps, and what the server has. */
export function useMyData() {
  const account = computed(() => session.account)
  const template = computed<Template | null>(() => session.account?.template ?? null)
  const picture = shallowRef<OwnPicture | null>(null)
  const photo = ref('')
  const ciphertext = shallowRef<Uint8Array<ArrayBuffer> | null>(null)
  const alarm = shallowRef<Alarm | null>(null)
  const trouble = shallowRef<unknown>(null)
  const loading = ref(true)

  async function load(): Promise<void> {
    trouble.value = null
    loading.value = true
    try {
      const { id, template: current } = await refreshAccount()
      alarm.value = (await recall(id)).alarm
      show(current ? await ownPicture(id) : null)
      ciphertext.value = current ? await api.templateData(current.id) : null
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
  return { account, template, picture, photo, ciphertext, alarm, trouble, loading, load, forgetPicture }
}
