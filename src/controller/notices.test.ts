/** Who is told what: the whole controller on a simulated cluster, in virtual time, with channels that only note. */
import { noClusterLimits } from '../engine/admission.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { planCluster } from '../../bench/plan-cluster.ts';
import { annotations, GROUP_VERSION } from '../api/names.ts';
import { ownNotifyList } from '../api/notify.ts';
import type { MaintenancePolicyInput } from '../api/resources.ts';
import { installDrover } from '../cli/drover-in-simulation.ts';
import { createVirtualClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { createRegistry } from '../lib/metrics.ts';
import { DeliveryError } from '../notify/channel.ts';
import { secretsOf } from '../notify/read-secret.ts';
import { createInProcessClient } from '../sim/apiserver/in-process.ts';
import { budgets, namespaces, nodes as nodeKind } from '../sim/apiserver/kinds.ts';
import { createSimulatedCluster } from '../sim/cluster.ts';
import { createSeededRandom } from '../sim/seeded-random.ts';
import { runController } from './controller.ts';
import type { EventSpec } from './events.ts';
import { createNotices } from './notices.ts';
import { createNotifyMetrics } from './notify-metrics.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const NOON = Date.parse('2026-06-01T12:00:00Z');
const [first, second, third] = ['node-00000', 'node-00001', 'node-00002'] as const;

type Notify = NonNullable<MaintenancePolicyInput['spec']['notify']>;

interface Told {
  readonly to: string;
  readonly topic: string;
  readonly title: string;
  readonly text: string;
  readonly thread: string;
  readonly earlier: string | null;
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Entries whose type is Slack with a bot edit; all others only post. */
const edits = { type: 'Slack', slack: { token: { secretRef: { namespace: 'a', name: 'b', key: 'c' } }, channel: 'C1' } } as const;
const posts = { type: 'Webhook', webhook: { url: 'http://127.0.0.1:1/' } } as const;

async function start(notify: Notify, own: unknown[] = [], spec: Partial<MaintenancePolicyInput['spec']> = {}) {
  const clock = createVirtualClock(NOON);
  const cluster = createSimulatedCluster({ clock, seed: 7, without: ['autoscaler'], kubelets: { heartbeats: false } });
  const { api } = cluster;
  const kinds = installDrover(api);
  api.load(planCluster({ nodes: 6, podsPerNode: 10 }).objects);
  api.create(kinds.policies, {
    apiVersion: GROUP_VERSION,
    kind: 'MaintenancePolicy',
    metadata: { name: 'nightly' },
    spec: {
      nodeSelector: { matchLabels: { pool: 'all' } },
      reasons: [{ type: 'Label', name: 'planned', label: { key: 'maintenance' } }],
      drain: { handover: 'Never' },
      notify,
      ...spec,
    },
  });
  const [told, events]: [Told[], EventSpec[]] = [[], []];
  /** What a delivery answers; a string is how the service names the message. */
  let answer: (told: Told) => Error | null = () => null;
  let messages = 0;

  const startProcess = (identity: string) => {
    const registry = createRegistry();
    const client = createInProcessClient({ handle: cluster.handle, clock, userAgent: 'drover/test' });
    const notices = createNotices({
      client,
      clock,
      log: silentLog,
      random: createSeededRandom(7),
      secrets: secretsOf(() => Promise.resolve(client), clock, {}),
      readFile: () => Promise.reject(new Error('no files')),
      userAgent: 'test',
      own: ownNotifyList.parse(own),
      clusterName: '',
      metrics: createNotifyMetrics(registry),
      recorder: { record: (event) => void events.push(event) },
      open: (entry) => ({
        edits: entry.channel.type === 'Slack',
        resolves: false,
        async deliver(notice, earlier) {
          const { topic, title, text, thread } = notice;
          const made = { to: entry.name, topic, title, text, thread, earlier };
          told.push(made);
          await clock.sleep(50);
          const error = answer(made);
          if (error) throw error;
          if (entry.channel.type !== 'Slack' || notice.kind === 'Alert') return earlier;
          messages += earlier === null ? 1 : 0;
          return earlier ?? `message-${messages}`;
        },
        close: () => Promise.resolve(),
      }),
    });
    const controller = runController({
      client,
      clock,
      log: silentLog,
      random: createSeededRandom(7),
      identity,
      leaderElect: true,
      leaseNamespace: 'default',
      askGates: 'TakenAsOpen',
      limits: noClusterLimits,
      observer: notices.beside({ leading() {}, watchRestarted() {}, passed() {}, answered() {} }),
    });
    let stopped: Promise<void> | undefined;
    const stop = () =>
      (stopped ??= Promise.all([controller.stop(() => notices.stop()), clock.run({ until: clock.now() + MINUTE })]).then(
        () => {},
      ));
    return { controller, registry, stop };
  };
  const run = (ms: number) => clock.run({ until: clock.now() + ms });
  const process = startProcess('one');
  stops.push(async () => {
    await process.stop();
    cluster.stop();
  });
  await run(10 * SECOND);
  await process.controller.ready;
  return {
    api,
    kinds,
    told,
    events,
    run,
    process,
    startProcess,
    answer: (next: typeof answer) => void (answer = next),
    titles: (to?: string) => told.filter((each) => to === undefined || each.to === to).map(({ title }) => title),
    of: (node: string) => api.list(kinds.maintenances).find((each) => each.spec.nodeName === node),
    policy: () => api.get(kinds.policies, '', 'nightly') as unknown as { metadata: { uid: string }; status?: { run?: unknown } },
    setBudgets(maxUnavailable: number) {
      for (const { metadata } of api.list(budgets))
        api.modify(budgets, metadata.namespace ?? '', metadata.name, (budget) => ({
          ...budget,
          spec: { ...budget.spec, maxUnavailable },
        }));
    },
    label(node: string, value?: string) {
      api.modify(nodeKind, '', node, (object) => {
        const { maintenance: _, ...labels } = object.metadata.labels ?? {};
        return {
          ...object,
          metadata: { ...object.metadata, labels: value === undefined ? labels : { ...labels, maintenance: value } },
        };
      });
    },
  };
}

const why = 'planned: label maintenance=yes (policy nightly)';

describe('a node', () => {
  it('has one message that is edited from its beginning to its end', async () => {
    const world = await start([{ name: 'ops', channel: edits }]);
    world.label(first, 'yes');
    await world.run(5 * MINUTE);
    world.label(first);
    await world.run(MINUTE);
    expect(world.told.map(({ title, earlier }) => [title.replace(/ in \d+s/, ' in some time'), earlier])).toEqual([
      [`node ${first}: draining, 10 pods to move: ${why}`, null],
      [`node ${first}: drained in some time (${why})`, 'message-1'],
      [expect.stringMatching(/^node node-00000: back in service: /), 'message-1'],
    ]);
    expect(world.told[2]?.text.split('\n').slice(2)).toEqual([
      expect.stringMatching(/^12:00 UTC draining, 10 pods to move$/),
      expect.stringMatching(/^12:0\d UTC drained in \d+s$/),
    ]);
    const mark = JSON.parse(world.of(first)?.metadata.annotations?.[annotations.notified] ?? '{}') as Record<
      string,
      { told: string[] }
    >;
    expect(mark['policy:ops']).toEqual({
      told: [expect.stringMatching(/^Started@/), expect.stringMatching(/^Drained@/), expect.stringMatching(/^HandedBack@/)],
      message: 'message-1',
    });
  });

  it('is told only of what is asked for, of the reasons that are asked for', async () => {
    const world = await start([
      { name: 'ends', channel: posts, on: ['Drained'] },
      { name: 'by-name', channel: posts, on: ['Drained'], reasons: ['planned'] },
      { name: 'by-type', channel: posts, on: ['Drained'], reasons: ['Taint', 'Label'] },
      { name: 'others', channel: posts, on: ['Drained'], reasons: ['Taint', 'label'] },
    ]);
    world.label(first, 'yes');
    await world.run(5 * MINUTE);
    expect(world.told.map(({ to, topic }) => `${to} ${topic}`).sort()).toEqual([
      'by-name Drained',
      'by-type Drained',
      'ends Drained',
    ]);
  });

  it('that waits is told after waitingFor, once, with what would help', async () => {
    const world = await start([
      { name: 'soon', channel: posts, on: ['Waiting'], waitingFor: '2m' },
      { name: 'later', channel: posts, on: ['Waiting'], waitingFor: '10m' },
      { name: 'never', channel: posts, on: ['Failed'], waitingFor: '2m' },
    ]);
    world.setBudgets(0);
    world.label(first, 'yes');
    await world.run(MINUTE);
    expect(world.told).toEqual([]);
    await world.run(5 * MINUTE);
    expect(world.titles('soon')).toEqual([
      expect.stringMatching(/^node node-00000: waits: pod team-00000\/app-.*; what would help: /),
    ]);
    await world.run(20 * MINUTE);
    expect(world.told.map(({ to }) => to)).toEqual(['soon', 'later']);
  });

  it('of a policy that is paused is told once for all of them', async () => {
    const world = await start([{ name: 'ops', channel: posts, on: ['Waiting'], waitingFor: '1m' }], [], {
      disruption: { maxNodes: 1 },
    });
    world.setBudgets(0);
    for (const node of [first, second, third]) world.label(node, 'yes');
    await world.run(30 * SECOND);
    world.api.modify(world.kinds.policies, '', 'nightly', (policy) => ({
      ...policy,
      spec: { ...(policy['spec'] as object), paused: true },
    }));
    await world.run(10 * MINUTE);
    expect(world.titles().filter((title) => title.includes('policy nightly is paused'))).toHaveLength(1);
  });

  it('that was never begun has no end that is told', async () => {
    const world = await start([{ name: 'ops', channel: posts, on: ['Cancelled', 'HandedBack', 'Started'] }], [], {
      paused: true,
    });
    world.label(first, 'yes');
    await world.run(MINUTE);
    world.label(first);
    await world.run(MINUTE);
    expect(world.told).toEqual([]);
  });
});

describe('another leader', () => {
  it('tells nothing twice and goes on with the message that there is', async () => {
    const world = await start([{ name: 'ops', channel: edits }]);
    world.setBudgets(0);
    world.label(first, 'yes');
    await world.run(MINUTE);
    expect(world.told.map(({ topic }) => topic)).toEqual(['Started']);
    await world.process.stop();
    const next = world.startProcess('two');
    stops.push(next.stop);
    await world.run(5 * MINUTE);
    expect(world.told.map(({ topic }) => topic)).toEqual(['Started']);
    world.setBudgets(1);
    await world.run(5 * MINUTE);
    expect(world.told.map(({ topic, earlier }) => [topic, earlier])).toEqual([
      ['Started', null],
      ['Drained', 'message-1'],
    ]);
  });

  it('tells what the last one could not deliver, though the node has ended since', async () => {
    const world = await start([{ name: 'ops', channel: posts, on: ['HandedBack'] }]);
    world.answer(() => new DeliveryError('no connection', { again: true }));
    world.label(first, 'yes');
    await world.run(2 * MINUTE);
    world.label(first);
    await world.run(20 * SECOND);
    const tries = world.told.length;
    expect(tries).toBeGreaterThan(0);
    await world.process.stop();
    world.told.splice(0);
    world.answer(() => null);
    const next = world.startProcess('two');
    stops.push(next.stop);
    await world.run(2 * MINUTE);
    expect(world.told.map(({ topic }) => topic)).toEqual(['HandedBack']);
  });
});

describe('a run', () => {
  it('is one message that is edited until all nodes are done', async () => {
    const world = await start([{ name: 'ops', channel: edits, per: 'Run' }]);
    for (const node of [first, second, third]) world.label(node, 'yes');
    await world.run(4 * SECOND);
    expect(world.policy().status?.run).toMatchObject({ messages: [{ name: 'policy:ops', message: 'message-1' }] });
    await world.run(20 * MINUTE);
    expect(world.told[0]).toMatchObject({ title: 'nightly: 0 of 3 done, 1 under way, 2 waiting', earlier: null });
    expect(world.told.slice(1).every(({ earlier }) => earlier === 'message-1')).toBe(true);
    expect(world.titles().at(-1)).toMatch(/^nightly: 3 of 3 done, ended after /);
    expect(world.policy().status?.run).toBeUndefined();
    const before = world.told.length;
    for (const node of [first, second]) world.label(node);
    await world.run(5 * MINUTE);
    expect(world.told.slice(before).map(({ topic }) => topic)).not.toContain('Started');
  });

  it('is a digest where messages cannot be edited, and its end is told at once', async () => {
    const world = await start([{ name: 'mail', channel: posts, per: 'Run', digestEvery: '5m' }], [], {
      disruption: { maxNodes: 1, minInterval: '3m' },
    });
    for (const node of [first, second, third]) world.label(node, 'yes');
    await world.run(30 * MINUTE);
    const titles = world.titles();
    expect(titles.length).toBeLessThanOrEqual(4);
    expect(titles[0]).toBe('nightly: 0 of 3 done, 1 under way, 2 waiting');
    expect(titles.at(-1)).toMatch(/^nightly: 3 of 3 done, ended after \d+m$/);
  });

  it('tells at once what waits, and goes on with its message under the next leader', async () => {
    const world = await start([{ name: 'ops', channel: edits, per: 'Run', waitingFor: '1m' }]);
    world.setBudgets(0);
    for (const node of [first, second]) world.label(node, 'yes');
    await world.run(3 * MINUTE);
    expect(world.told.filter(({ topic }) => topic === 'Waiting')).toMatchObject([{ earlier: 'message-1' }]);
    await world.process.stop();
    const next = world.startProcess('two');
    stops.push(next.stop);
    await world.run(3 * MINUTE);
    world.setBudgets(1);
    await world.run(10 * MINUTE);
    expect(world.told.filter(({ topic }) => topic === 'Waiting')).toHaveLength(1);
    expect(world.told.at(-1)).toMatchObject({
      topic: 'Run',
      earlier: 'message-1',
      title: expect.stringMatching(/^nightly: 2 of 2 done/),
    });
  });
});

describe('the owners of a namespace', () => {
  const annotate = (world: Awaited<ReturnType<typeof start>>, value: string) =>
    world.api.modify(namespaces, '', 'team-00000', (object) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { [annotations.notify]: value } },
    }));

  it('are told through the channel that the namespace names, where it may', async () => {
    const world = await start(
      [],
      [
        { name: 'team', on: [], channel: posts, forNamespaces: true, waitingFor: '1m' },
        { name: 'private', on: [], channel: posts },
      ],
    );
    annotate(world, 'team, private');
    world.label(first, 'yes');
    await world.run(5 * MINUTE);
    expect(world.told.map(({ to, topic }) => `${to} ${topic}`)).toEqual(['team Pods']);
    expect(world.titles()[0]).toMatch(
      /^namespace team-00000: 10 pods \(app-\S+, .*, \.\.\.\) move away from node node-00000: planned: label maintenance=yes/,
    );
  });
});

describe('a channel that takes nothing', () => {
  it('hinders no drain, is counted, and the policy gets an event', async () => {
    const world = await start([{ name: 'ops', channel: posts, on: ['Started', 'Drained'], retries: 2 }]);
    world.answer(() => new DeliveryError('the service answered 503', { again: true }));
    world.label(first, 'yes');
    await world.run(5 * MINUTE);
    expect(world.of(first)?.status?.phase).toBe('Drained');
    expect(world.events.map(({ reason, regarding, message }) => [reason, regarding.kind, regarding.uid, message])).toContainEqual(
      [
        'NotificationFailed',
        'MaintenancePolicy',
        world.policy().metadata.uid,
        `channel nightly/ops (Webhook) was not told of ${first} (Drained): the service answered 503; try it with: drover notify test --policy nightly --channel ops`,
      ],
    );
    const metrics = world.process.registry.metrics();
    expect(metrics).toMatch(/drover_notifications_total\{channel="nightly\/ops",type="Webhook",answer="Failed"\} [12]\n/);
    expect(metrics).toContain('drover_notifications_queued{channel="nightly/ops"} 0\n');
  });

  it('is told of again when the policy says something else', async () => {
    const world = await start([]);
    world.label(first, 'yes');
    await world.run(2 * MINUTE);
    expect(world.told).toEqual([]);
    world.api.modify(world.kinds.policies, '', 'nightly', (policy) => ({
      ...policy,
      spec: { ...(policy['spec'] as object), notify: [{ name: 'new', channel: posts }] },
    }));
    world.label(second, 'yes');
    await world.run(5 * MINUTE);
    expect(world.told.map(({ to, topic, thread }) => `${to} ${topic} ${thread.slice(0, 10)}`)).toEqual([
      'new Started node-00001',
      'new Drained node-00001',
    ]);
  });
});
