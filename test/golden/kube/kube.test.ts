import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Node, ObjectMeta, Pod } from '../../../src/api/objects.ts';
import { type EvictionAnswer, KubeError, type Status } from '../../../src/kube/client.ts';
import { statusOf } from '../../../src/kube/errors.ts';
import { classifyEviction } from '../../../src/kube/evict.ts';
import { nodes, pods, type ResourceKind } from '../../../src/kube/kinds.ts';
import { createFrameCutter, decodeEvent, decodePage, PROTOBUF, type WatchEvent } from '../../../src/kube/watch-frames.ts';

const JSON_TYPE = 'application/json';
const golden = (name: string) => readFileSync(new URL(name, import.meta.url));

function pageOf<T extends ObjectMeta>(kind: ResourceKind<T>, name: string) {
  const proto = decodePage(kind, PROTOBUF, golden(`${name}.pb`));
  const json = decodePage(kind, JSON_TYPE, golden(`${name}.json`));
  return { proto, json };
}

function eventsOf(contentType: string, name: string, chunkBytes: number): WatchEvent<Pod>[] {
  const bytes = golden(name);
  const events: WatchEvent<Pod>[] = [];
  const take = createFrameCutter(contentType, (frame) => events.push(decodeEvent(pods, contentType, frame)));
  for (let at = 0; at < bytes.length; at += chunkBytes) take(bytes.subarray(at, at + chunkBytes));
  return events;
}

describe('bytes of kube-apiserver 1.34.4', () => {
  it('give the same Pods in both formats', () => {
    const { proto, json } = pageOf(pods, 'pods-page');
    expect(proto.items).toStrictEqual(json.items);
    expect(proto.continue).not.toBe('');
    expect(proto.items.find(({ name }) => name === 'full')).toMatchObject<Partial<Pod>>({
      annotations: { 'drover.dev/handover': 'größer ✓' },
      finalizers: ['example.com/hold'],
      nodeName: 'n1',
      phase: 'Running',
      ready: true,
      graceSeconds: 77,
      priority: -10,
      priorityClass: 'overprovision',
      mirror: true,
      emptyDir: true,
      claims: ['data-0', 'full-eph'],
      hostPorts: [8080, 9001],
      affinityKeys: ['app', 'cache', 'pod-template-hash', 'spread', 'tier'],
    });
    expect(proto.items.find(({ name }) => name === 'nowhere')?.unschedulable).toContain('0/2 nodes are available');
    expect(proto.items.find(({ name }) => name.startsWith('web-'))?.owner).toMatchObject({ kind: 'ReplicaSet' });
  });

  it('give the same Nodes in both formats', () => {
    const { proto, json } = pageOf(nodes, 'nodes-page');
    expect(proto).toMatchObject({ resourceVersion: json.resourceVersion });
    expect(proto.items).toStrictEqual(json.items);
    expect(proto.items[0]).toMatchObject<Partial<Node>>({
      name: 'n1',
      ready: true,
      bootId: 'b-1',
      taints: [
        { key: 'a.example/b', value: 'x', effect: 'PreferNoSchedule' },
        { key: 'timed', value: '', effect: 'NoExecute', timeAdded: Date.parse('2026-01-02T03:04:05Z') },
      ],
    });
    expect(proto.items[0]?.annotations).toMatchObject({ note: 'grün ✓' });
  });

  it.each([1, 7, 4096, 1 << 20])('give the same watch events in both formats, read %i bytes at a time', (chunkBytes) => {
    const proto = eventsOf(`${PROTOBUF};stream=watch`, 'pods-watch.pb', chunkBytes);
    const json = eventsOf(JSON_TYPE, 'pods-watch.jsonl', chunkBytes);
    const objects = (events: WatchEvent<Pod>[]) => events.filter(({ type }) => type !== 'BOOKMARK');
    expect(objects(proto)).toStrictEqual(objects(json));
    for (const events of [proto, json]) {
      expect(events.slice(0, 5).map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK', 'MODIFIED', 'MODIFIED', 'DELETED']);
      expect(events[1]).toMatchObject({ endsInitialEvents: true, resourceVersion: expect.stringMatching(/^\d+$/) as string });
    }
  });

  it('give the Status of a refusal in protobuf', () => {
    expect(statusOf(PROTOBUF, golden('status-404.pb'))).toMatchObject({
      code: 404,
      reason: 'NotFound',
      message: 'pods "none" not found',
      details: { kind: 'pods', name: 'none' },
    });
  });
});

interface Answered {
  readonly situation: string;
  readonly code: number;
  readonly retryAfterMs?: number;
  readonly status: Status;
}

const expected: Readonly<Record<string, EvictionAnswer['kind']>> = {
  'no disruption left': 'BudgetRefused',
  stale: 'BudgetStale',
  gone: 'Gone',
  'another uid': 'OtherPod',
  'another uid, pending': 'OtherPod',
  'two budgets': 'SeveralBudgets',
  'no rights': 'Forbidden',
  'namespace terminating': 'NamespaceTerminating',
};

describe('what the eviction subresource answered', () => {
  const answers = JSON.parse(golden('evictions.json').toString('utf8')) as Answered[];

  it.each(Object.entries(expected))('when "%s" is %s', (situation, kind) => {
    const answer = answers.find((each) => each.situation === situation);
    if (!answer) throw new Error(`evictions.json has no "${situation}"`);
    const { code, status, retryAfterMs } = answer;
    expect(classifyEviction(new KubeError('', { code, status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })).kind).toBe(kind);
  });

  it('carries a Retry-After only while the budget is being processed', () => {
    const refused = answers.filter(({ code }) => code === 429).map(({ situation, retryAfterMs }) => [situation, retryAfterMs]);
    expect(refused).toEqual([
      ['no disruption left', undefined],
      ['stale', 10_000],
    ]);
  });

  it('is 201 for a pod that is already terminating, whose budget is not asked', () => {
    expect(answers.find(({ situation }) => situation === 'terminating again')?.code).toBe(201);
  });
});
