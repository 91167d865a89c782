import type { FileSystem } from '../../lib/base/filesystem.ts'

/** The file system with one call that fails with a system's error. */
export function failingAt(fileSystem: FileSystem, call: keyof FileSystem, code: string, path?: string): FileSystem {
  return new Proxy(fileSystem, {
    get(target, name) {
      const method = Reflect.get(target, name) as (...args: unknown[]) => unknown
      if (typeof method !== 'function') return method
      if (name !== call) return method.bind(target)
      return (...args: unknown[]) =>
        path === undefined || args[0] === path
          ? Promise.reject(Object.assign(new Error(code), { code, path: args[0] }))
          : method.apply(target, args)
    },
  })
}
