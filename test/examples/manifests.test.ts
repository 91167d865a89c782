import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  mountOf,
  podOf,
  readConfig,
  readExample,
  readManifests,
  type Container,
  type Manifest,
  type PodSpec,
} from './example.ts'

const manifest = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string
}

describe.each(['sidecar', 'init'])('the manifest of %s', name => {
  const manifests = readManifests(name)
  const pod = podOf(manifests)
  const config = readConfig(name)
  const [outrigger] = pod.initContainers as [Container]
  const [application] = pod.containers as [Container]

  test('holds the files beside it, word for word', () => {
    const held = manifests.filter(({ kind }) => kind === 'ConfigMap').flatMap(({ data = {} }) => Object.entries(data))

    expect(held.map(([file]) => file)).toContain('outrigger.yaml')
    for (const [file, text] of held) expect({ file, text }).toEqual({ file, text: readExample(name, file) })
  })

  test('mounts only volumes that it has, made of objects that it has or says how to make', () => {
    const volumes = pod.volumes.map(volume => volume.name)
    const mounts = [outrigger, application].flatMap(({ volumeMounts }) => volumeMounts)
    const made = manifests.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name)

    expect(new Set(mounts.map(mount => mount.name))).toEqual(new Set(volumes))
    expect(new Set(namesOf(pod, 'configMap', 'name'))).toEqual(new Set(made))
    for (const secret of namesOf(pod, 'secret', 'secretName')) {
      expect(readExample(name, 'README.md')).toContain(`secret generic ${secret}`)
    }
  })

  test('shares the volume with the application, in memory, whole, to be read only', () => {
    const path = Object.values(config.bundles)[0]?.volume ?? ''
    const ours = mountOf(outrigger, path)
    const theirs = application.volumeMounts.find(mount => mount.name === ours?.name)

    expect(ours).toEqual({ name: expect.any(String), mountPath: path })
    expect(theirs).toMatchObject({ readOnly: true })
    expect(theirs).not.toHaveProperty('subPath')
    expect(volumeOf(manifests, ours?.name)).toMatchObject({
      emptyDir: { medium: 'Memory', sizeLimit: expect.any(String) },
    })
  })

  test('gives the state and the configuration a place', () => {
    expect(volumeOf(manifests, mountOf(outrigger, config.state)?.name)).toHaveProperty('emptyDir')
    expect(mountOf(outrigger, config.state)).not.toHaveProperty('readOnly')
    expect(mountOf(outrigger, '/etc/outrigger/outrigger.yaml')).toMatchObject({ readOnly: true })
  })

  test('mounts nothing below a volume that cannot be written to, where there would be no directory to mount it on', () => {
    for (const { volumeMounts } of [outrigger, application]) {
      for (const { mountPath } of volumeMounts) {
        expect(volumeMounts.map(other => other.mountPath).filter(other => mountPath.startsWith(`${other}/`))).toEqual(
          [],
        )
      }
    }
  })

  test('runs this version, without any right, each container as the same user', () => {
    expect(outrigger.image).toBe(`outrigger:${manifest.version}`)
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: expect.any(Number) })
    expect(pod.securityContext['fsGroup']).toBe(pod.securityContext['runAsGroup'])
    for (const { securityContext } of [outrigger, application]) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
    }
  })

  test('has a configuration that editors know the schema of', () => {
    const [first = ''] = readExample(name, 'outrigger.yaml').split('\n')
    const [, schema = ''] = /^# yaml-language-server: \$schema=(\S+)$/.exec(first) ?? []

    const path = resolve(dirname(resolve(import.meta.dirname, `../../examples/${name}/outrigger.yaml`)), schema)
    expect(JSON.parse(readFileSync(path, 'utf8'))).toHaveProperty('properties.bundles')
  })
})

describe('the sidecar', () => {
  const pod = podOf(readManifests('sidecar'))
  const config = readConfig('sidecar')
  const [outrigger] = pod.initContainers as [Container]
  const [nginx] = pod.containers as [Container]

  test('is a native one, which sees the processes of the application', () => {
    expect(outrigger).toMatchObject({ restartPolicy: 'Always', args: ['run'] })
    expect(pod.shareProcessNamespace).toBe(true)
    expect(config.bundles['web']?.hooks).toEqual([{ signal: 'SIGHUP', process: nginx.name }])
    expect(nginx.image).toContain(nginx.name)
  })

  test('is asked what its listener answers, where it listens', () => {
    const [, host, port] = /^(.*):(\d+)$/.exec(config.admin?.listen ?? '') ?? []

    expect(outrigger.startupProbe?.httpGet).toEqual({ path: '/startupz', port: 'health' })
    expect(outrigger.livenessProbe?.httpGet).toEqual({ path: '/livez', port: 'health' })
    expect(outrigger.readinessProbe?.httpGet).toEqual({ path: '/readyz', port: 'health' })
    expect(outrigger.ports).toEqual([{ name: 'health', containerPort: Number(port) }])
    expect(host).toBe('0.0.0.0')
  })
})

describe('the init container', () => {
  test('runs once, with a deadline, and leaves its last message where people look', () => {
    const [outrigger] = podOf(readManifests('init')).initContainers as [Container]

    expect(outrigger.args).toEqual(['once', '--timeout', '60s'])
    expect(outrigger).toHaveProperty('terminationMessagePolicy', 'FallbackToLogsOnError')
    expect(outrigger).not.toHaveProperty('restartPolicy')
  })
})

/** The names of the objects of one kind that the Pod's volumes are made of. */
function namesOf({ volumes }: PodSpec, kind: string, key: string): readonly string[] {
  const sources = volumes.map(volume => volume[kind] as Readonly<Record<string, string>> | undefined)
  return sources.flatMap(source => source?.[key] ?? [])
}

function volumeOf(manifests: readonly Manifest[], name: string | undefined): object | undefined {
  return podOf(manifests).volumes.find(volume => volume.name === name)
}
