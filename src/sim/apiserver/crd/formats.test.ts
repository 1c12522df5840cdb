import { describe, expect, it } from 'vitest';
import { formatCheck } from './formats.ts';
import { goPattern } from './go-pattern.ts';

const cases: readonly [format: string, good: readonly string[], bad: readonly string[]][] = [
  [
    'date-time',
    ['2026-01-01T00:00:00Z', '2026-01-01t10:00:00.123+02:00'],
    ['2026-01-01', '2026-02-30T00:00:00Z', '2026-01-01T24:00:00Z', ''],
  ],
  ['date', ['2024-02-29'], ['2023-02-29', '24-1-1']],
  ['duration', ['1h30m', '10s', '0', '-1.5h', '22 ns', '3 days'], ['10', '', 'soon', '10 parsecs']],
  ['ipv4', ['10.0.0.1'], ['10.0.0', '::1']],
  ['ipv6', ['::1'], ['10.0.0.1']],
  ['cidr', ['10.0.0.0/8', 'fd00::/64'], ['10.0.0.0', '10.0.0.0/33']],
  ['uuid', ['123E4567-e89b-12d3-a456-426614174000', '123e4567e89b12d3a456426614174000'], ['123e4567']],
  ['uuid4', ['123e4567-e89b-42d3-a456-426614174000'], ['123e4567-e89b-12d3-a456-426614174000']],
  ['byte', ['aGk='], ['a', 'not base64']],
  ['hostname', ['example.com', 'a'], ['-a.com', 'a..b']],
  ['uri', ['https://example.com', '/path'], ['not a uri']],
  ['k8s-short-name', ['a-1'], ['A', 'a.b', 'a-']],
  ['k8s-long-name', ['a.b'], ['a..b']],
];

describe('formats', () => {
  it.each(cases)('%s', (format, good, bad) => {
    const check = formatCheck(format);
    expect(good.filter((text) => !check?.(text))).toEqual([]);
    expect(bad.filter((text) => check?.(text))).toEqual([]);
  });

  it('are not checked when the server does not know them', () => {
    expect(formatCheck('int64')).toBeUndefined();
    expect(formatCheck('toString')).toBeUndefined();
    expect(formatCheck(undefined)).toBeUndefined();
  });
});

describe("patterns in Go's syntax", () => {
  it.each([
    ['(?i)^abc$', 'ABC'],
    ['^\\p{L}+$', 'Größe'],
    ['\\Aa\\z', 'a'],
    ['^(?P<year>[0-9]{4})$', '2026'],
    ['^a\\-b$', 'a-b'],
  ])('%s matches %s', (source, text) => {
    expect((goPattern(source) as RegExp).test(text)).toBe(true);
  });

  it('are told apart from texts that are none', () => {
    expect(goPattern('(')).toBeInstanceOf(Error);
  });
});
