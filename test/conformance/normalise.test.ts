import { describe, expect, it } from 'vitest';
import { normalise } from './normalise.ts';

describe('normalise', () => {
  it.each([
    ['the namespace of the case', 'pods "a" in c-x-07 and node c-x-07-1', 'pods "a" in NS and node NS-1'],
    ['times', 'since 2026-01-02T03:04:05Z and 2026-01-02T03:04:05.123456Z', 'since TIME and TIME'],
    ['uids', 'UID in precondition: 0f0e0d0c-1111-2222-3333-444455556666', 'UID in precondition: UID'],
    ['generated names', 'Created pod: web-5d4f8c7b9d-x2x9z', 'Created pod: web-XXXXX-XXXXX'],
    ['the versions of a refused watch', 'too old resource version: 1 (2345)', 'too old resource version: 1 (VERSION)'],
  ])('takes %s out of texts', (_what, text, expected) => {
    expect(normalise({ text }, 'c-x-07')).toEqual({ text: expected });
  });

  it.each(['default-scheduler', 'web-front', 'kube-root-ca.crt', 'not-ready', 'out-of-service', 'NS-1'])(
    'leaves %s alone',
    (word) => {
      expect(normalise(word, 'c-x-07')).toBe(word);
    },
  );

  it('takes out uids and versions by their field, but for empty ones', () => {
    expect(
      normalise(
        [
          { uid: 'x', resourceVersion: '17' },
          { uid: '', resourceVersion: '' },
        ],
        'c-x-07',
      ),
    ).toEqual([
      { uid: 'UID', resourceVersion: 'VERSION' },
      { uid: '', resourceVersion: '' },
    ]);
  });

  it('keeps null and drops undefined, as JSON does', () => {
    expect(normalise({ a: null, b: undefined }, 'c-x-07')).toEqual({ a: null });
    expect(normalise(undefined, 'c-x-07')).toBeNull();
  });
});
