import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { toValue } from '../../../lib/base/value.ts'
import { standardFunctions } from '../../../lib/template/functions/standard.ts'
import { parseTemplate, TemplateError } from '../../../lib/template/template.ts'

const environment = { HOME: '/home/me', EMPTY: '' }
const dot = toValue({
  list: ['a', 'b'],
  numbers: [1, 2],
  map: { b: [1, { c: null }], a: '<&>' },
  text: 'one\n\ntwo\n',
})

function run(text: string): string {
  return parseTemplate({ name: 't', text, functions: standardFunctions() }).execute(dot, {
    environment,
    now: () => 0,
    networkAddresses: () => [],
  })
}

function failureOf(text: string): TemplateError {
  try {
    run(text)
  } catch (error) {
    if (error instanceof TemplateError) return error
    throw error
  }
  throw new Error(`${text} executes`)
}

describe('a standard function gives', () => {
  test.each([
    ['{{toLower "ÀB"}}{{toUpper "àb"}}{{toTitle "it\'s a dog-day"}}', "àbÀBIt's A Dog-Day"],
    ['[{{trim "xy" "xyaxyx"}}][{{trim "☺" "☺a☺"}}][{{trim "x" "xx"}}][{{trimSpace " \\n a b\\t "}}]', '[a][a][][a b]'],
    ['{{trimPrefix "a" "aab"}}{{trimPrefix "x" "ab"}}{{trimSuffix "b" "abb"}}{{trimSuffix "" "ab"}}', 'abababab'],
    ['{{replaceAll "." "-" "a.b.c"}}{{replaceAll "a" "$&" "a"}}', 'a-b-c$&'],
    ['{{split "," "a,b,c"}}{{split "," ""}}{{split "" "aé"}}{{len (split "," " a,, ")}}', '[a b c][][a é]3'],
    ['{{join "," .list}}{{.list | join "-"}}', 'a,ba-b'],
    ['{{base64Encode "a?>é"}} {{base64URLEncode "a?>é"}}', 'YT8+w6k= YT8-w6k='],
    ['{{base64Decode "YT8+w6k="}}{{base64URLDecode "YT8-w6k="}}', 'a?>éa?>é'],
    ['{{base64Encode (base64Decode "//79")}}', '//79'],
    ['{{sha256Hex "abc"}}', createHash('sha256').update('abc').digest('hex')],
    ['{{md5sum "abc"}}', '900150983cd24fb0d6963f7d28e17f72'],
    ['{{indent 2 .text}}|{{.text | indent 1}}', '  one\n\n  two\n| one\n\n two\n'],
    ['{{contains "a" .list}}{{contains "x" .list}}{{in .numbers 2}}{{in "abc" "bc"}}', 'truefalsetruetrue'],
    ['{{(parseJSON "{\\"a\\":{\\"b\\":[1,2.0,12345678901234567890]}}").a}}', 'map[b:[1 2 12345678901234567890]]'],
    ['{{(parseYAML "a: {b: [1, yes, 0644]}").a.b}}', '[1 true 420]'],
    ['{{(parseTOML "a = 9007199254740993\\n[b]\\nc = 1.5").a}}', '9007199254740993'],
    ['{{parseJSON ""}}{{parseYAML ""}}{{parseTOML ""}}', 'map[]map[]map[]'],
    ['{{toJSON .map}}', '{"a":"\\u003c\\u0026\\u003e","b":[1,{"c":null}]}'],
    ['{{toUnescapedJSON .map}}', '{"a":"<&>","b":[1,{"c":null}]}'],
    [
      '{{toJSONPretty .map}}',
      '{\n  "a": "\\u003c\\u0026\\u003e",\n  "b": [\n    1,\n    {\n      "c": null\n    }\n  ]\n}',
    ],
    ['{{toJSON (parseJSON "[1.0,1e30,-0.5,9007199254740993,[],{}]")}}', '[1,1e+30,-0.5,9007199254740993,[],{}]'],
    ['{{toJSON "\u2028\u0001é\udcff"}}', '"\\u2028\\u0001é\ufffd"'],
    ['{{toYAML .map}}', 'a: <&>\nb:\n- 1\n- c: null'],
    ['{{env "HOME"}}{{env "NONE"}}{{env "toString"}}{{env "EMPTY"}}', '/home/me'],
    ['{{envOrDefault "HOME" "x"}}{{envOrDefault "NONE" "x"}}{{envOrDefault "EMPTY" "x"}}', '/home/mex'],
  ])('%s', (text, want) => {
    expect(run(text)).toBe(want)
  })
})

describe('a standard function fails', () => {
  test.each([
    ['{{mustEnv "NONE"}}', 'error calling mustEnv: required environment variable NONE is empty'],
    ['{{base64Decode "s3cret"}}', 'error calling base64Decode: base64Decode: illegal base64 data at input byte 4'],
    ['{{base64Decode "YT8-w6k="}}', 'error calling base64Decode: base64Decode: illegal base64 data at input byte 3'],
    ['{{parseJSON "{\\"a\\": s3cret}"}}', 'error calling parseJSON: not valid JSON at line 1, column 7'],
    ['{{parseYAML "a: [s3cret"}}', 'error calling parseYAML: not valid YAML at line 1, column 11: bad indent'],
    ['{{parseTOML "a = s3cret"}}', 'error calling parseTOML: not valid TOML at line 1, column 5'],
    ['{{join "," .numbers}}', 'error calling join: expected string; got int'],
    ['{{indent -1 "a"}}', 'error calling indent: indent value must be a positive integer'],
    ['{{toUpper 1}}', 'expected string; found 1'],
    ['{{.numbers | toUpper}}', 'wrong type for value; expected string; got []interface {}'],
  ])('in %s: %s', (text, want) => {
    const failure = failureOf(text)
    expect(failure.message.endsWith(`: ${want}`)).toBe(true)
    expect(messagesOf(failure.cause).join('\n')).not.toContain('s3cret')
  })
})

/** The messages of an error and of what caused it. */
function messagesOf(error: unknown): readonly string[] {
  return error instanceof Error ? [error.message, ...messagesOf(error.cause)] : []
}

test('every standard function has a signature that begins with its name, and stands under it', () => {
  const table = standardFunctions()
  for (const [name, each] of table) {
    expect(each.name).toBe(name)
    expect(each.signature.startsWith(name)).toBe(true)
  }
})
