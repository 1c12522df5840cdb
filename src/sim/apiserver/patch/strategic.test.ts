import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from './json-value.ts';
import { shapeOfKind } from './shape.ts';
import { strategicMergePatch } from './strategic.ts';

const patched = (kind: string, current: JsonObject, patch: unknown) => strategicMergePatch(current, patch, shapeOfKind({ kind }));

const web = {
  name: 'web',
  image: 'web:1',
  env: [
    { name: 'A', value: '1' },
    { name: 'B', value: '2' },
  ],
};
const proxy = { name: 'proxy', image: 'proxy:1' };
const pod = {
  metadata: { name: 'p', labels: { app: 'web' }, finalizers: ['a.io/x', 'b.io/y'] },
  spec: {
    containers: [web, proxy],
    tolerations: [{ key: 'old', operator: 'Exists' }],
    volumes: [{ name: 'data', emptyDir: {} }],
  },
};

const cases: readonly [title: string, kind: string, current: JsonObject, patch: JsonObject, expected: JsonObject][] = [
  [
    'merges containers by name and keeps their order',
    'Pod',
    { spec: { containers: [web, proxy] } },
    { spec: { containers: [{ name: 'proxy', image: 'proxy:2' }] } },
    { spec: { containers: [web, { name: 'proxy', image: 'proxy:2' }] } },
  ],
  [
    'adds an element before those that the patch does not name',
    'Pod',
    { spec: { containers: [web] } },
    { spec: { containers: [{ name: 'log' }] } },
    { spec: { containers: [{ name: 'log' }, web] } },
  ],
  [
    'takes an element away with $patch: delete',
    'Pod',
    { spec: { containers: [web, proxy] } },
    { spec: { containers: [{ $patch: 'delete', name: 'web' }] } },
    { spec: { containers: [proxy] } },
  ],
  [
    'replaces a list with $patch: replace',
    'Pod',
    { spec: { containers: [web, proxy] } },
    { spec: { containers: [{ name: 'only' }, { $patch: 'replace' }] } },
    { spec: { containers: [{ name: 'only' }] } },
  ],
  [
    'replaces an object with $patch: replace',
    'Pod',
    { metadata: { labels: { a: '1', b: '2' } } },
    { metadata: { labels: { $patch: 'replace', c: '3' } } },
    { metadata: { labels: { c: '3' } } },
  ],
  ['empties an object with $patch: delete', 'Pod', { spec: { a: 1 } }, { spec: { $patch: 'delete' } }, { spec: {} }],
  [
    'replaces tolerations as a whole',
    'Pod',
    { spec: { tolerations: [{ key: 'a' }, { key: 'b' }] } },
    { spec: { tolerations: [{ key: 'c' }] } },
    { spec: { tolerations: [{ key: 'c' }] } },
  ],
  [
    'replaces the taints of a node as a whole',
    'Node',
    { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } },
    { spec: { taints: [{ key: 'b', effect: 'NoExecute' }] } },
    { spec: { taints: [{ key: 'b', effect: 'NoExecute' }] } },
  ],
  [
    'merges conditions by type',
    'Node',
    {
      status: {
        conditions: [
          { type: 'Ready', status: 'True', reason: 'r' },
          { type: 'Disk', status: 'False' },
        ],
      },
    },
    { status: { conditions: [{ type: 'Ready', status: 'False' }] } },
    {
      status: {
        conditions: [
          { type: 'Ready', status: 'False', reason: 'r' },
          { type: 'Disk', status: 'False' },
        ],
      },
    },
  ],
  [
    'merges finalizers as a set',
    'Pod',
    { metadata: { finalizers: ['a', 'b'] } },
    { metadata: { finalizers: ['c', 'a'] } },
    { metadata: { finalizers: ['c', 'a', 'b'] } },
  ],
  [
    'takes values out of a set',
    'Pod',
    { metadata: { finalizers: ['a', 'b', 'c'] } },
    { metadata: { '$deleteFromPrimitiveList/finalizers': ['b', 'z'] } },
    { metadata: { finalizers: ['a', 'c'] } },
  ],
  [
    'merges owners by uid',
    'Pod',
    { metadata: { ownerReferences: [{ uid: 'u1', name: 'a' }] } },
    {
      metadata: {
        ownerReferences: [
          { $patch: 'delete', uid: 'u1' },
          { uid: 'u2', name: 'b' },
        ],
      },
    },
    { metadata: { ownerReferences: [{ uid: 'u2', name: 'b' }] } },
  ],
  [
    'merges the ports of a service by port alone',
    'Service',
    { spec: { ports: [{ port: 80, protocol: 'TCP', name: 'http' }] } },
    { spec: { ports: [{ port: 80, targetPort: 8080 }] } },
    { spec: { ports: [{ port: 80, protocol: 'TCP', name: 'http', targetPort: 8080 }] } },
  ],
  [
    'keeps only the fields of a union that are retained',
    'Deployment',
    { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
    { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
    { spec: { strategy: { type: 'Recreate' } } },
  ],
  [
    'puts elements into the order that is set, and others where they stood',
    'Pod',
    { spec: { containers: [{ name: 'a' }, { name: 'server' }, { name: 'b' }] } },
    { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }], containers: [{ name: 'b', image: 'x' }] } },
    { spec: { containers: [{ name: 'server' }, { name: 'b', image: 'x' }, { name: 'a' }] } },
  ],
  [
    'replaces the selector of a budget, which does not merge',
    'PodDisruptionBudget',
    { spec: { selector: { matchLabels: { a: '1' } } } },
    { spec: { selector: { matchLabels: { b: '2' } } } },
    { spec: { selector: { matchLabels: { b: '2' } } } },
  ],
  [
    'merges the selector of a deployment',
    'Deployment',
    { spec: { selector: { matchLabels: { a: '1' } } } },
    { spec: { selector: { matchLabels: { b: '2' } } } },
    { spec: { selector: { matchLabels: { a: '1', b: '2' } } } },
  ],
  [
    'takes away what is null',
    'Pod',
    { metadata: { labels: { a: '1', b: '2' } } },
    { metadata: { labels: { a: null } } },
    { metadata: { labels: { b: '2' } } },
  ],
  ['stores no nulls within what is new', 'Pod', {}, { spec: { a: null, b: 1 } }, { spec: { b: 1 } }],
  [
    'drops a deletion of an element from a list that is not there',
    'Pod',
    { spec: {} },
    { spec: { containers: [{ $patch: 'delete', name: 'x' }, { name: 'y' }] } },
    { spec: { containers: [{ name: 'y' }] } },
  ],
];

describe('a strategic merge patch', () => {
  it.each(cases)('%s', (_, kind, current, patch, expected) => {
    expect(patched(kind, current, patch)).toEqual(expected);
  });

  it('merges the lists of a pod template like those of a pod', () => {
    const deployment = { spec: { template: { spec: { containers: [web] } } } };
    const next = patched('Deployment', deployment, {
      spec: { template: { spec: { containers: [{ name: 'web', env: [{ name: 'B', value: '9' }] }] } } },
    });
    expect(next).toMatchObject({
      spec: {
        template: {
          spec: {
            containers: [
              {
                image: 'web:1',
                env: [
                  { name: 'A', value: '1' },
                  { name: 'B', value: '9' },
                ],
              },
            ],
          },
        },
      },
    });
  });

  it('leaves the very same object when nothing changes, and shares what it does not touch', () => {
    expect(
      patched('Pod', pod, { spec: { containers: [{ name: 'web', image: 'web:1' }], tolerations: [...pod.spec.tolerations] } }),
    ).toBe(pod);
    const next = patched('Pod', pod, { spec: { containers: [{ name: 'web', image: 'web:2' }] } }) as typeof pod;
    expect(next.metadata).toBe(pod.metadata);
    expect(next.spec.containers[1]).toBe(proxy);
    expect(next.spec.containers[0]).toHaveProperty('env', web.env);
  });

  const refused: readonly [title: string, patch: unknown, code: number, message: string][] = [
    ['what is no object', [], 400, 'json: cannot unmarshal array into Go value of type map[string]interface {}'],
    [
      'an element without its key',
      { spec: { containers: [{ image: 'x' }] } },
      500,
      'map: map[image:x] does not contain declared merge key: name',
    ],
    ['an unknown directive', { spec: { $patch: 'explode' } }, 500, 'unknown patch type: explode in map: map[$patch:explode]'],
    ['a field that is not retained', { spec: { $retainKeys: ['a'], b: 1 } }, 400, 'invalid patch format of retainKeys'],
    [
      'a directive without its field',
      { metadata: { $setElementOrder: [] } },
      400,
      'invalid patch format of setElementOrder list',
    ],
    [
      'lists of lists',
      { metadata: { finalizers: [['x']] } },
      422,
      'the server rejected our request due to an error in our request',
    ],
  ];
  it.each(refused)('refuses %s', (_, patch, code, message) => {
    expect(() => patched('Pod', pod, patch)).toThrowError(expect.objectContaining({ code, message }));
  });

  it('changes nothing when applied a second time', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const container = fc.record({ name, image: fc.constantFrom('1', '2') });
    const containers = fc.uniqueArray(container, { selector: (one) => one.name });
    fc.assert(
      fc.property(containers, containers, fc.dictionary(name, name), (current, patch, labels) => {
        const once = patched(
          'Pod',
          { metadata: {}, spec: { containers: current } },
          { metadata: { labels }, spec: { containers: patch } },
        );
        expect(patched('Pod', once, { metadata: { labels }, spec: { containers: patch } })).toBe(once);
      }),
    );
  });
});
