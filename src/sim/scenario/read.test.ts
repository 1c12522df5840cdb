import { describe, expect, it } from 'vitest';
import { readFileText, ScenarioError } from './read.ts';

const shop = `
pools:
  - {name: web, count: 3, zones: [a, b]}
workloads:
  - {name: shop, pool: web, replicas: 2}
`;

function refusal(text: string, existing: readonly string[] = []): string[] {
  try {
    readFileText(text, 'shop.yaml', existing);
  } catch (error) {
    if (error instanceof ScenarioError) return [error.message, ...error.details];
    throw error;
  }
  return [];
}

describe('a scenario file', () => {
  it('fills in what it leaves out', () => {
    const file = readFileText(shop, 'shop.yaml');
    expect(file).toMatchObject({
      kind: 'scenario',
      scenario: {
        seed: 1,
        pools: [
          { size: { cpu: 4, memory: '16Gi', pods: 110 }, taints: [], boot: { least: 45_000, spread: 45_000 }, failingBoots: 0 },
        ],
        workloads: [
          { kind: 'Deployment', namespace: 'default', exitsAtSigterm: false, requests: { cpu: '100m', memory: '128Mi' } },
        ],
        events: [],
      },
    });
  });

  it('takes other resources of a node beside the usual ones', () => {
    const file = readFileText('pools: [{name: gpu, count: 1, size: {cpu: 8, more: {nvidia.com/gpu: 2}}}]', 'x');
    expect(file).toMatchObject({
      scenario: { pools: [{ size: { cpu: 8, memory: '16Gi', pods: 110, 'nvidia.com/gpu': 2 } }] },
    });
  });

  it.each([
    [
      'a pool that is not there',
      shop.replace('pool: web', 'pool: wbe'),
      ['workloads[0].pool: "wbe" is not a pool; there are: web'],
    ],
    [
      'one of several pools',
      shop.replace('pool: web', 'pool: [web, db]'),
      ['workloads[0].pool: "db" is not a pool; there are: web'],
    ],
    [
      'a pool where there is none',
      'workloads: [{name: shop, pool: web}]',
      ['workloads[0].pool: "web" is not a pool; there is none'],
    ],
    [
      'a pool of an event',
      `${shop}events: [{at: 1s, failBoots: {pool: db, share: 1}}]`,
      ['events[0].failBoots.pool: "db" is not a pool; there are: web'],
    ],
    [
      'a node of an event',
      `${shop}events: [{at: 1s, reboot: {node: web-4}}]`,
      ['events[0].reboot.node: "web-4" is not a node; there are: web-1, web-2, web-3'],
    ],
    [
      'a workload of an event',
      `${shop}events: [{at: 1s, scale: {workload: shp, replicas: 1}}]`,
      ['events[0].scale.workload: "default/shp" is not a workload with replicas; there are: default/shop'],
    ],
    [
      'an event without what happens',
      `${shop}events: [{at: 1s}]`,
      [
        'events[0]: needs exactly one of cordon, uncordon, taint, untaint, label, unlabel, reboot, stopKubelet, startKubelet, failBoots, resize, scale',
      ],
    ],
    [
      'an event with two happenings',
      `${shop}events: [{at: 1s, reboot: {node: web-1}, stopKubelet: {node: web-1}}]`,
      [/^events\[0\]: needs exactly one of .*; it has reboot and stopKubelet$/],
    ],
    [
      'an event on neither a node nor a pool',
      `${shop}events: [{at: 1s, cordon: {}}]`,
      ['events[0].cordon: needs one of node and pool'],
    ],
    ['a misspelt field', 'pool: []', ['pool: is not a known field; check the spelling and where it is indented']],
    [
      'every wrong field',
      'pools: [{name: Web, count: -1}, {count: 2}]',
      [
        'pools[0].name: must be a name of lower-case letters, digits and -',
        'pools[0].count: must be at least 0',
        'pools[1].name: is required',
      ],
    ],
    [
      'a quantity',
      'pools: [{name: a, count: 1, size: {cpu: much}}]',
      ['pools[0].size.cpu: must be a quantity like 500m, 2 or 4Gi'],
    ],
    [
      'a time',
      'workloads: [{name: a, ready: soon}]',
      ['workloads[0].ready: must be a duration like 2s, or a range like 2s to 5s'],
    ],
    [
      'a range the wrong way round',
      'workloads: [{name: a, ready: 5s to 2s}]',
      ['workloads[0].ready: must be a duration like 2s, or a range like 2s to 5s'],
    ],
    ['a share', 'pools: [{name: a, count: 1, failingBoots: 2}]', ['pools[0].failingBoots: must be at most 1']],
    ['a pool that is there twice', 'pools: [{name: a, count: 1}, {name: a, count: 1}]', ['pools[1].name: "a" is there twice']],
    [
      'a workload that is there twice',
      'workloads: [{name: a}, {name: a}]',
      ['workloads[1].name: "Deployment default/a" is there twice'],
    ],
    [
      'a size outside of the limits',
      'pools: [{name: a, count: 9, autoscale: {min: 1, max: 3}}]',
      ['pools[0].count: must be from autoscale.min to autoscale.max, 1 to 3'],
    ],
    [
      'limits the wrong way round',
      'pools: [{name: a, count: 9, autoscale: {min: 5, max: 3}}]',
      ['pools[0].autoscale.min: must not be above max'],
    ],
    [
      'replicas of a DaemonSet',
      'workloads: [{name: a, kind: DaemonSet, replicas: 2}]',
      ['workloads[0].replicas: does not belong to a DaemonSet: it has a pod on every node'],
    ],
    [
      'storage of a Deployment',
      'workloads: [{name: a, storage: 1Gi}]',
      ['workloads[0].storage: belongs to a StatefulSet only, this is a Deployment'],
    ],
    [
      'a budget of two kinds',
      'workloads: [{name: a, budget: {minAvailable: 1, maxUnavailable: 1}}]',
      ['workloads[0].budget: needs one of minAvailable and maxUnavailable'],
    ],
    ['a list', '[]', ['must be an object']],
  ])('is refused for %s', (_, text, expected) => {
    const lines = refusal(text).map((line) => line.replace('shop.yaml: ', ''));
    expect(lines).toEqual(expected.map((line) => (typeof line === 'string' ? line : expect.stringMatching(line))));
  });

  it.each([
    ['is broken', 'pools: [', /^shop\.yaml is not YAML: .* at line 1, column \d+$/],
    ['is empty', '\n# nothing\n', /^shop\.yaml is empty;/],
    ['holds two scenarios', `${shop}---${shop}`, 'shop.yaml: a scenario is one document, this file has 2'],
  ])('is refused in one line when it %s', (_, text, expected) => {
    expect(refusal(text)).toEqual([typeof expected === 'string' ? expected : expect.stringMatching(expected)]);
  });

  it('may name pools that are there already', () => {
    expect(refusal('workloads: [{name: shop, pool: old}]', ['old'])).toEqual([]);
    expect(refusal('pools: [{name: old, count: 1}]', ['old'])).toEqual(['shop.yaml: pools[0].name: "old" is there twice']);
  });
});

describe('a file of manifests', () => {
  it('gives its objects, with those of lists', () => {
    const text = `
apiVersion: v1
kind: List
items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]
---
apiVersion: v1
kind: Namespace
metadata: {name: b}
`;
    expect(readFileText(text, 'x')).toMatchObject({ kind: 'manifests', objects: [{ kind: 'ConfigMap' }, { kind: 'Namespace' }] });
  });

  it('is refused with the number of the object that is none', () => {
    const text = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Namespace';
    expect(refusal(text)).toEqual(['shop.yaml: object "2": metadata: is required']);
  });
});
