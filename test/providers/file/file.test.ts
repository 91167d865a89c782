import { mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { file } from '../../../providers/file/plugin.ts'
import { scratch } from '../../support/scratch.ts'
import { providerConformance } from '../conformance.ts'

providerConformance('file', async () => {
  const directory = scratch()
  const link = join(directory, 'link')
  const root = join(directory, 'values')
  mkdirSync(root)
  symlinkSync('values', link)
  return {
    plugin: file,
    options: { path: link },
    async write(path, content) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), content)
    },
    remove: async path => unlinkSync(join(root, path)),
    reference: path => [path],
    breakBackend: async () => {
      unlinkSync(link)
      symlinkSync('link', link)
    },
    mendBackend: async () => {
      rmSync(link)
      symlinkSync('values', link)
    },
    close: async () => {},
  }
})
