import { describe, expect, test } from 'vitest'
import { standardFunctions } from '../../../../lib/template/functions/standard.ts'
import { failureOf, run } from './run.ts'

const functions = standardFunctions()

describe('a function of sprig', () => {
  test('has its name with the prefix, and without it where that is free', () => {
    const prefixed = [...functions.keys()].filter(name => name.startsWith('sprig_'))

    expect(prefixed.length).toBeGreaterThanOrEqual(192)
    expect(
      prefixed.map(name => name.replace('sprig_', '')).filter(name => name !== 'slice' && !functions.has(name)),
    ).toEqual([])
    expect(functions.has('slice')).toBe(false)
  })

  test('gives way to the one of consul-template that has its name', () => {
    expect(run('{{join "," (sprig_list "a" "b")}}{{add 1 2}}{{contains "a" (sprig_list "a")}}')).toBe('a,b3true')
    expect(run('{{sprig_contains "a" "cat"}}{{sprig_add 1 2 3}}{{sprig_slice (sprig_list 1 2 3) 1}}')).toBe(
      'true6[2 3]',
    )
  })

  test.each(['now', 'date', 'dateModify', 'randAlphaNum', 'uuidv4', 'expandenv', 'getHostByName'])(
    'that depends on more than its arguments says what to use instead: %s',
    name => {
      for (const spelling of [name, `sprig_${name}`]) {
        const failure = failureOf(`{{${spelling} "x"}}`)
        expect(failure.message).toContain(`function "${spelling}" not available: `)
        expect(failure.hint).toMatch(/\w/)
      }
    },
  )

  test('shows no value in its errors', () => {
    const dot = { secret: 'hunter2' }
    for (const text of [
      '{{urlParse (print "http://" .secret ":" .secret)}}',
      '{{semverCompare .secret "1.2.3"}}',
      '{{genSelfSignedCert "a" (list .secret) nil 1}}',
      '{{mustFromJson .secret}}',
    ]) {
      expect(failureOf(text, { dot }).message).not.toContain('hunter2')
    }
  })
})
