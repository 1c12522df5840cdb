import { describe, expect, it } from 'vitest';
import { jsonPatch } from './json-patch.ts';

const pod = {
  metadata: { name: 'web', labels: { app: 'web', 'example.com/tier': 'front' } },
  spec: { hosts: ['a', 'b', 'c'], node: null },
};

const cases: readonly [title: string, patch: readonly object[], path: (next: typeof pod) => unknown, expected: unknown][] = [
  ['adds a field', [{ op: 'add', path: '/spec/priority', value: 7 }], (next) => next.spec, { ...pod.spec, priority: 7 }],
  ['adds over a field that is there', [{ op: 'add', path: '/metadata/name', value: 'x' }], (next) => next.metadata.name, 'x'],
  [
    'inserts before an index',
    [{ op: 'add', path: '/spec/hosts/1', value: 'x' }],
    (next) => next.spec.hosts,
    ['a', 'x', 'b', 'c'],
  ],
  ['appends at "-"', [{ op: 'add', path: '/spec/hosts/-', value: 'd' }], (next) => next.spec.hosts, ['a', 'b', 'c', 'd']],
  ['appends at the length', [{ op: 'add', path: '/spec/hosts/3', value: 'd' }], (next) => next.spec.hosts, ['a', 'b', 'c', 'd']],
  ['counts a negative index from the end', [{ op: 'remove', path: '/spec/hosts/-1' }], (next) => next.spec.hosts, ['a', 'b']],
  [
    'inserts at the end with -1',
    [{ op: 'add', path: '/spec/hosts/-1', value: 'd' }],
    (next) => next.spec.hosts,
    ['a', 'b', 'c', 'd'],
  ],
  [
    'reads ~1 as a slash',
    [{ op: 'remove', path: '/metadata/labels/example.com~1tier' }],
    (next) => next.metadata.labels,
    { app: 'web' },
  ],
  ['replaces an element', [{ op: 'replace', path: '/spec/hosts/0', value: 'x' }], (next) => next.spec.hosts, ['x', 'b', 'c']],
  [
    'creates a field that it should replace',
    [{ op: 'replace', path: '/spec/new', value: 1 }],
    (next) => next.spec,
    { ...pod.spec, new: 1 },
  ],
  [
    'moves',
    [{ op: 'move', from: '/metadata/name', path: '/spec/name' }],
    (next) => [next.metadata.name, next.spec],
    [undefined, { ...pod.spec, name: 'web' }],
  ],
  ['copies', [{ op: 'copy', from: '/spec/hosts/0', path: '/spec/hosts/-' }], (next) => next.spec.hosts, ['a', 'b', 'c', 'a']],
  [
    'goes on after a test that holds',
    [
      { op: 'test', path: '/metadata/name', value: 'web' },
      { op: 'remove', path: '/spec' },
    ],
    (next) => next.spec,
    undefined,
  ],
  ['takes an absent field for null in a test', [{ op: 'test', path: '/spec/absent', value: null }], (next) => next, pod],
  [
    'tests objects by content',
    [{ op: 'test', path: '/metadata/labels', value: { 'example.com/tier': 'front', app: 'web' } }],
    (next) => next,
    pod,
  ],
];

const refused: readonly [title: string, patch: object][] = [
  ['a test that fails', { op: 'test', path: '/metadata/name', value: 'db' }],
  ['the removal of what is not there', { op: 'remove', path: '/spec/absent' }],
  ['an index beyond the end', { op: 'add', path: '/spec/hosts/4', value: 'x' }],
  ['a path through what is not there', { op: 'add', path: '/spec/affinity/nodeAffinity', value: {} }],
  ['a path through a text', { op: 'add', path: '/metadata/name/x', value: 1 }],
  ['an index that is no number', { op: 'remove', path: '/spec/hosts/first' }],
  ['an unknown operation', { op: 'merge', path: '/spec' }],
  ['an operation without a path', { op: 'remove' }],
  ['the removal of the whole', { op: 'remove', path: '' }],
  ['a move from nowhere', { op: 'move', from: '/spec/absent', path: '/spec/x' }],
];

describe('a JSON patch', () => {
  it.each(cases)('%s', (_, patch, read, expected) => {
    expect(read(jsonPatch(pod, patch) as typeof pod)).toEqual(expected);
  });

  it.each(refused)('refuses %s with 422 and the text that says nothing', (_, operation) => {
    expect(() => jsonPatch(pod, [operation])).toThrowError(
      expect.objectContaining({
        code: 422,
        reason: 'Invalid',
        message: 'the server rejected our request due to an error in our request',
      }),
    );
  });

  it('refuses what is not a list of operations with 400', () => {
    expect(() => jsonPatch(pod, { op: 'remove' })).toThrowError(expect.objectContaining({ code: 400, reason: 'BadRequest' }));
    expect(() => jsonPatch(pod, [{ op: 1, path: '/x' }])).toThrowError(
      expect.objectContaining({
        message: 'error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string',
      }),
    );
  });

  it('leaves the very same object when nothing changes', () => {
    expect(jsonPatch(pod, [{ op: 'replace', path: '/spec/hosts', value: ['a', 'b', 'c'] }])).toBe(pod);
  });

  it('shares what it does not touch', () => {
    const next = jsonPatch(pod, [{ op: 'add', path: '/metadata/labels/x', value: 'y' }]) as typeof pod;
    expect(next.spec).toBe(pod.spec);
    expect(pod.metadata.labels).not.toHaveProperty('x');
  });

  it('does nothing at all when a later operation fails', () => {
    const before = structuredClone(pod);
    expect(() =>
      jsonPatch(pod, [
        { op: 'remove', path: '/spec' },
        { op: 'test', path: '/spec', value: {} },
      ]),
    ).toThrowError();
    expect(pod).toEqual(before);
  });
});
