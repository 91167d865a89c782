import { about, type Section } from './section.ts'

/** The functions on the world around a template, and those under their second name. */
export const world: readonly Section[] = [
  {
    title: 'Encodings and digests',
    functions: [
      about('base64Encode b64enc', 'As base64.', '{{base64Encode "a?>"}}', 'YT8+'),
      about(
        'base64Decode',
        'What a base64 text means; an error if it is none.',
        '{{base64Decode "aGVsbG8="}}',
        'hello',
      ),
      about('b64dec', 'As `base64Decode`; of what is none, the error as text.', '{{b64dec "aGVsbG8="}}', 'hello'),
      about('base64URLEncode', 'As base64 for URLs.', '{{base64URLEncode "a?>"}}', 'YT8-'),
      about('base64URLDecode', 'What it means.', '{{base64URLDecode "YT8-"}}', 'a?>'),
      about('b32enc', 'As base32.', '{{b32enc "hello"}}', 'NBSWY3DP'),
      about('b32dec', 'What a base32 text means.', '{{b32dec "NBSWY3DP"}}', 'hello'),
      about(
        'sha256Hex sha256sum',
        'The SHA-256 in hexadecimal digits.',
        '{{sha256Hex "hello"}}',
        '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
      ),
      about(
        'hmacSHA256Hex',
        'The HMAC of a message with a key.',
        '{{hmacSHA256Hex "message" "key"}}',
        '6e9ef29b75fffc5b7abae527d58fdadb2fe42e7219011976917343065f58ed4a',
      ),
      about('sha1sum', 'The SHA-1.', '{{sha1sum "hello"}}', 'aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d'),
      about('sha512sum', 'The SHA-512.', '{{sha512sum "hello" | trunc 16}}', '9b71d224bd62f378'),
      about('md5sum', 'The MD5.', '{{md5sum "hello"}}', '5d41402abc4b2a76b9719d911017c592'),
      about('adler32sum', 'The Adler-32, in decimal digits.', '{{adler32sum "hello"}}', '103547413'),
    ],
  },
  {
    title: 'Passwords, keys and certificates',
    introduction:
      'Made anew in every render, but for `derivePassword`: what must stay belongs into a provider. Hashes, keys and certificates are slow to\nmake or to check: each counts for the time that it takes, 2,000 of the 10 million steps of a template for each millisecond.',
    functions: [
      about('bcrypt', 'The bcrypt hash of a password.', '{{bcrypt "secret" | trunc 7}}', '$2a$10$'),
      about('htpasswd', 'A line for a password file.', '{{htpasswd "me" "secret" | trunc 10}}', 'me:$2a$10$'),
      about(
        'derivePassword',
        "The password of a site, derived from a master password (Master Password's algorithm).",
        '{{derivePassword 1 "long" "password" "user" "example.com"}}',
        'ZedaFaxcZaso9*',
      ),
      about(
        'encryptAES',
        'A text encrypted under a password, as base64.',
        '{{encryptAES "key" "text" | decryptAES "key"}}',
        'text',
      ),
      about(
        'decryptAES',
        'What was encrypted so.',
        '{{"30tEfhuJSVRhpG97XCuWgz2okj7L8vQ1s6V9zVUPeDQ=" | decryptAES "secretkey"}}',
        'plaintext',
      ),
      about(
        'genPrivateKey',
        'A private key of `rsa`, `ecdsa`, `dsa` or `ed25519`.',
        '{{genPrivateKey "ed25519" | trunc 27}}',
        '-----BEGIN PRIVATE KEY-----',
      ),
      about(
        'genCA',
        'A certificate authority that is valid for so many days.',
        '{{$ca := genCA "my-ca" 365}}{{$ca.Cert | trunc 27}}',
        '-----BEGIN CERTIFICATE-----',
      ),
      about(
        'genCAWithKey',
        'As `genCA`, with a given key.',
        '{{(genCAWithKey "my-ca" 365 (genPrivateKey "ecdsa")).Cert | trunc 27}}',
        '-----BEGIN CERTIFICATE-----',
      ),
      about(
        'genSelfSignedCert',
        'A certificate for a name, addresses and further names, which signs itself.',
        '{{(genSelfSignedCert "a.example" (list "10.0.0.1") (list "b.example") 365).Cert | trunc 27}}',
        '-----BEGIN CERTIFICATE-----',
      ),
      about(
        'genSelfSignedCertWithKey',
        'As `genSelfSignedCert`, with a given key.',
        '{{(genSelfSignedCertWithKey "a.example" nil nil 365 (genPrivateKey "ecdsa")).Cert | trunc 27}}',
        '-----BEGIN CERTIFICATE-----',
      ),
      about(
        'genSignedCert',
        'A certificate that an authority signs.',
        '{{$ca := genCA "my-ca" 365}}{{(genSignedCert "a.example" nil nil 365 $ca).Cert | trunc 27}}',
        '-----BEGIN CERTIFICATE-----',
      ),
      about(
        'genSignedCertWithKey',
        'As `genSignedCert`, with a given key.',
        '{{$ca := genCA "my-ca" 365}}{{(genSignedCertWithKey "a.example" nil nil 365 $ca (genPrivateKey "ecdsa")).Cert | trunc 27}}',
        '-----BEGIN CERTIFICATE-----',
      ),
      about(
        'buildCustomCert',
        'An authority of a certificate and key that there are, both in base64.',
        '{{$ca := genCA "my-ca" 365}}{{(buildCustomCert (b64enc $ca.Cert) (b64enc $ca.Key)).Cert | eq $ca.Cert}}',
        'true',
      ),
    ],
  },
  {
    title: 'Time',
    introduction:
      'A template is rendered when what it asked for changes, not when time passes. Here it is 2024-02-29 13:07:09 UTC.',
    functions: [
      about(
        'timestamp',
        'The time in UTC, in a layout of Go (RFC 3339 unless given) or as `unix`.',
        '{{timestamp}} {{timestamp "2006-01-02"}} {{timestamp "unix"}}',
        '2024-02-29T13:07:09Z 2024-02-29 1709212029',
      ),
      about(
        'toDate mustToDate',
        'The time that a text spells, in a layout of Go.',
        '{{(toDate "2006-01-02" "2024-02-29").Year}}',
        '2024',
      ),
      about(
        'mustDateModify must_date_modify',
        'A time moved by a duration.',
        '{{(mustDateModify "36h" (toDate "2006-01-02" "2024-02-28")).Day}}',
        '29',
      ),
      about(
        'unixEpoch',
        'A time in seconds since 1970.',
        '{{toDate "2006-01-02" "2024-02-29" | unixEpoch}}',
        '1709164800',
      ),
      about('duration', 'Seconds as a duration.', '{{duration 95}}', '1m35s'),
      about(
        'durationRound',
        'A duration, or the time since, in its largest unit.',
        '{{durationRound "2h10m5s"}}',
        '2h',
      ),
      about('ago', 'The time since, in seconds.', '{{ago (toDate "2006-01-02" "2024-02-29")}}', '13h7m9s'),
    ],
  },
  {
    title: 'Paths, URLs and versions',
    functions: [
      about('base osBase', 'The last part of a path.', '{{base "/etc/app.conf"}}', 'app.conf'),
      about('dir osDir', 'All but the last part.', '{{dir "/etc/app.conf"}}', '/etc'),
      about('ext osExt', 'The extension.', '{{ext "/etc/app.conf"}}', '.conf'),
      about('clean osClean', 'The shortest spelling.', '{{clean "/etc/../var//log/"}}', '/var/log'),
      about('isAbs osIsAbs', 'Whether a path begins at the root.', '{{isAbs "etc"}}', 'false'),
      about(
        'urlParse',
        'The parts of a URL as a map.',
        '{{(urlParse "https://me@example.com:8443/a?b=1#c").host}}',
        'example.com:8443',
      ),
      about(
        'urlJoin',
        'A URL of such parts.',
        '{{urlJoin (dict "scheme" "https" "host" "example.com" "path" "/a" "query" "b=1")}}',
        'https://example.com/a?b=1',
      ),
      about(
        'semver',
        'A version of Semantic Versioning, with its parts.',
        '{{(semver "v1.2.3-rc.1").Minor}} {{semver "1.2"}}',
        '2 1.2.0',
      ),
      about('semverCompare', 'Whether a version meets a constraint.', '{{semverCompare "^1.2.0" "1.4.2"}}', 'true'),
    ],
  },
  {
    title: 'Environment and network',
    functions: [
      about(
        'env',
        "A variable of Outrigger's environment, an empty text if there is none. Here `HOME` is `/home/app`.",
        '{{env "HOME"}}',
        '/home/app',
      ),
      about('mustEnv', 'As `env`, but an error if it is missing or empty.', '{{mustEnv "HOME"}}', '/home/app'),
      about('envOrDefault', 'As `env`, with a default if it is missing.', '{{envOrDefault "PORT" "8080"}}', '8080'),
      about(
        'sockaddr',
        'The addresses of this machine, in the template language of go-sockaddr. Here `eth0` has 10.1.2.3/16.',
        '{{sockaddr "GetPrivateIP"}} {{sockaddr "GetInterfaceIP \\"eth0\\""}}',
        '10.1.2.3 10.1.2.3',
      ),
    ],
  },
  {
    title: 'Debugging',
    functions: [
      about(
        'spew_sdump',
        'A value with its types and sizes.',
        '{{spew_sdump (list 1 "a")}}',
        '([]interface {}) (len=2 cap=2) {\n (int) 1,\n (string) (len=1) "a"\n}\n',
      ),
      about(
        'spew_sprintf',
        'As `printf`, where `%#v` tells types.',
        '{{spew_sprintf "%#v" (list 1 "a")}}',
        '([]interface {})[(int)1 (string)a]',
      ),
      about(
        'spew_dump',
        'Nothing: values may be secrets, and do not go to the standard output.',
        '[{{spew_dump 1}}]',
        '[]',
      ),
      about('spew_printf', 'Nothing, for the same reason.', '[{{spew_printf "%v" 1}}]', '[]'),
    ],
  },
  {
    title: 'Names with two meanings',
    introduction:
      "Every function of sprig has a second name, `sprig_NAME`. Where consul-template has a function of the same name, only that one means sprig's.",
    functions: [
      about('sprig_add', 'The sum of integers.', '{{sprig_add 1 2 3}}', '6'),
      about('sprig_contains', 'Whether a text is in another.', '{{sprig_contains "b" "abc"}}', 'true'),
      about(
        'sprig_indent',
        'So many blanks before each line, also an empty one.',
        '{{sprig_indent 2 "a\\nb"}}',
        '  a\n  b',
      ),
      about(
        'sprig_join',
        'The items of a list as they print, a separator between them.',
        '{{sprig_join "-" (list 1 2)}}',
        '1-2',
      ),
      about(
        'sprig_regexMatch',
        'Whether an expression matches somewhere; false if it is none.',
        '{{sprig_regexMatch "(" "a"}}',
        'false',
      ),
      about(
        'sprig_regexReplaceAll',
        'Every match replaced; the text comes second.',
        '{{sprig_regexReplaceAll "a(x*)b" "-axxb-" "${1}W"}}',
        '-xxW-',
      ),
      about(
        'sprig_split',
        'The parts between separators, as a map with the keys `_0`, `_1`, ….',
        '{{(sprig_split "." "a.b")._1}}',
        'b',
      ),
      about('sprig_trim', 'Without the space at both ends.', '[{{sprig_trim " a "}}]', '[a]'),
      about('sprig_slice', 'As `mustSlice`.', '{{sprig_slice (list 1 2 3) 1}}', '[2 3]'),
      about('sprig_trimPrefix', 'As `trimPrefix`.', '{{sprig_trimPrefix "v" "v1"}}', '1'),
      about('sprig_trimSuffix', 'As `trimSuffix`.', '{{sprig_trimSuffix "." "a."}}', 'a'),
    ],
  },
]
