import { describe, expect, it } from 'vitest';
import { createSeededRandom } from '../seeded-random.ts';
import {
  createUid,
  dns1035Label,
  dnsLabel,
  dnsSubdomain,
  generateName,
  labelValueErrors,
  pathSegment,
  qualifiedNameErrors,
} from './names.ts';

const long = (length: number) => 'a'.repeat(length);

describe('names', () => {
  it.each([
    ['subdomain', dnsSubdomain, ['a', 'a.b', 'a-1.b', long(253)], ['', 'A', 'a_b', '-a', 'a-', 'a..b', 'a.', long(254)]],
    ['label', dnsLabel, ['a', '1', 'a-b', long(63)], ['', 'a.b', 'A', '-a', long(64)]],
    ['1035 label', dns1035Label, ['a', 'a-1'], ['1a', 'a.b', 'A', '']],
    ['path segment', pathSegment, ['a', 'A:b', 'x y'], ['.', '..', 'a/b', 'a%b']],
    [
      'qualified name',
      qualifiedNameErrors,
      ['a', 'A_b.c', 'example.com/a', long(63)],
      ['', '/a', 'a/', 'A.com/a', 'a/b/c', 'a b', long(64)],
    ],
    ['label value', labelValueErrors, ['', 'a', 'A_b.c', long(63)], ['-a', 'a b', 'a/b', long(64)]],
  ] as const)('a %s', (_, errorsOf, right, wrong) => {
    for (const name of right) expect([name, errorsOf(name)]).toEqual([name, []]);
    for (const name of wrong) expect([name, errorsOf(name).length > 0]).toEqual([name, true]);
  });

  it('a prefix may end with a dash, because more follows', () => {
    expect(dnsSubdomain('web-', true)).toEqual([]);
    expect(dnsSubdomain('web-')).not.toEqual([]);
    expect(dnsSubdomain('Web-', true)).not.toEqual([]);
  });

  it('too long a prefix is cut so that the whole stays a label', () => {
    const name = generateName(long(100), createSeededRandom(1));
    expect(name).toHaveLength(63);
    expect(name.startsWith(long(58))).toBe(true);
  });

  it('uids are version 4, and differ', () => {
    const random = createSeededRandom(7);
    const uids = Array.from({ length: 2000 }, () => createUid(random));
    for (const uid of uids) expect(uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(uids).size).toBe(2000);
  });
});
