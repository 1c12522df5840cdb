/** Watches over the nodes: calls silent ones Unknown, taints by condition, and marks the pods of the lost not ready (pkg/controller/nodelifecycle). */
import type { Millis } from '../../lib/clock.ts';
import type { Api, Latency, Part } from '../apiserver/api.ts';
import { leases, nodes, pods } from '../apiserver/kinds.ts';
import { conditionOf, isPodReady, withCondition } from '../conditions.ts';
import type { Condition, Node, Pod } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';
import { hasExecuteTaint, NOT_READY, UNREACHABLE, withExecuteTaint, withScheduleTaints } from './node-taints.ts';
import { createWorkQueue } from './work-queue.ts';
import { createTaintLine, type TaintLine, taintInterval, type ZoneState, zoneState } from './zones.ts';

export interface NodeLifecycleOptions {
  readonly latency?: Latency;
  /** Without a sign of life for this long a node's conditions become Unknown. Default 50 s, as since Kubernetes 1.32. */
  readonly grace?: Millis;
  /** The same for one that has never reported. Default 60 s. */
  readonly startupGrace?: Millis;
  /** Between two looks at the nodes' health. Default 5 s. */
  readonly period?: Millis;
}

const ALIVE = 'sim.drover.dev/alive';
const LEASES = 'kube-node-lease';
const KUBELET_CONDITIONS = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];
const manager = { fieldManager: 'kube-controller-manager' };

interface Health {
  probedAt: Millis;
  heartbeat: string | undefined;
  renewed: string | undefined;
  /** Renewed all the time without being written: kubelet/heartbeats.ts. */
  alive: boolean;
  cancel: () => void;
}

interface Zone {
  readonly members: Set<string>;
  readonly line: TaintLine;
  state: ZoneState;
}

function zoneKey({ metadata: { labels = {} } }: Node): string {
  return `${labels['topology.kubernetes.io/region'] ?? ''}:${labels['topology.kubernetes.io/zone'] ?? ''}`;
}

function unknown(node: Node, now: string): Node {
  let conditions = node.status?.conditions;
  for (const type of KUBELET_CONDITIONS) {
    const before = conditionOf(conditions, type);
    if (before?.status === 'Unknown') continue;
    const condition: Condition = before
      ? { ...before, status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' }
      : {
          type,
          status: 'Unknown',
          reason: 'NodeStatusNeverUpdated',
          message: 'Kubelet never posted node status.',
          lastHeartbeatTime: node.metadata.creationTimestamp,
        };
    conditions = withCondition(conditions, { ...condition, lastTransitionTime: now }, now);
  }
  return conditions === node.status?.conditions || !conditions ? node : { ...node, status: { ...node.status, conditions } };
}

function withBetaLabels(node: Node): Node {
  const { labels = {} } = node.metadata;
  const wanted: Record<string, string> = {};
  for (const [from, to] of [
    ['kubernetes.io/os', 'beta.kubernetes.io/os'],
    ['kubernetes.io/arch', 'beta.kubernetes.io/arch'],
  ] as const) {
    const value = labels[from];
    if (value !== undefined && labels[to] !== value) wanted[to] = value;
  }
  if (Object.keys(wanted).length === 0) return node;
  return { ...node, metadata: { ...node.metadata, labels: { ...labels, ...wanted } } };
}

export function startNodeLifecycle(api: Api, options: NodeLifecycleOptions = {}): Part {
  const { clock } = api;
  const { grace = 50_000, startupGrace = 60_000, period = 5_000 } = options;
  const begun = clock.now();
  const healths = new Map<string, Health>();
  const zones = new Map<string, Zone>();
  const zoneOfNode = new Map<string, string>();
  const dirty = new Set<string>();
  let cancelLook: (() => void) | undefined;
  let allLost = false;
  const now = () => timestamp(clock.now());

  const readNode = (name: string) => api.get(nodes, '', name);
  const readyOf = (name: string) => conditionOf(readNode(name)?.status?.conditions, 'Ready');

  function look(name: string): void {
    dirty.add(name);
    // Upstream looks every 5 s at all nodes; here it is the same instants, but only when there is something to see.
    cancelLook ??= clock.after(period - ((clock.now() - begun) % period), () => {
      cancelLook = undefined;
      const names = [...dirty];
      dirty.clear();
      for (const each of names) check(each);
      judgeZones();
    });
  }

  function deadline(name: string): Millis {
    const health = healths.get(name);
    if (!health || health.alive) return Number.POSITIVE_INFINITY;
    return health.probedAt + (readyOf(name) ? grace : startupGrace);
  }

  function arm(name: string): void {
    const health = healths.get(name);
    const at = deadline(name);
    health?.cancel();
    if (!health || at === Number.POSITIVE_INFINITY) return;
    // One timer per node, which moves itself on: renewals come far too often to re-arm it for each.
    health.cancel = clock.after(Math.max(0, at - clock.now()) + 1, () => {
      if (deadline(name) >= clock.now()) arm(name);
      else look(name);
    });
  }

  function check(name: string): void {
    const node = readNode(name);
    const health = healths.get(name);
    if (!node || !health) return;
    if (deadline(name) < clock.now()) {
      const wasReady = readyOf(name)?.status === 'True';
      api.modify(nodes, '', name, (each: Node) => unknown(each, now()), { ...manager, subresource: 'status' });
      if (wasReady) markPodsNotReady(name);
    }
    const line = zones.get(zoneOfNode.get(name) ?? '')?.line;
    const key = keyFor(name);
    if (key === undefined) {
      line?.remove(name);
      if (readyOf(name)) setExecuteTaint(name, undefined);
      return;
    }
    const current = readNode(name);
    if (!current || hasExecuteTaint(current, key)) return;
    // One taint takes the place of the other at once; only the first has to queue.
    if (hasExecuteTaint(current, key === NOT_READY ? UNREACHABLE : NOT_READY)) setExecuteTaint(name, key);
    else line?.add(name);
  }

  function keyFor(name: string): typeof NOT_READY | typeof UNREACHABLE | undefined {
    const status = readyOf(name)?.status;
    if (status === undefined || status === 'True') return undefined;
    return status === 'False' ? NOT_READY : UNREACHABLE;
  }

  function setExecuteTaint(name: string, key: ReturnType<typeof keyFor>): void {
    api.modify(nodes, '', name, (node: Node) => withExecuteTaint(node, key, now()), manager);
  }

  function markPodsNotReady(name: string): void {
    for (const pod of api.list(pods, { fields: { 'spec.nodeName': name } })) {
      if (!isPodReady(pod)) continue;
      const set = (each: Pod): Pod => {
        const ready = conditionOf(each.status?.conditions, 'Ready');
        if (!ready) return each;
        const { lastTransitionTime: _, ...kept } = ready;
        const conditions = withCondition(each.status?.conditions, { ...kept, status: 'False' }, now());
        return { ...each, status: { ...each.status, conditions } };
      };
      api.modify(pods, pod.metadata.namespace ?? '', pod.metadata.name, set, { ...manager, subresource: 'status' });
    }
  }

  function judgeZones(): void {
    let lost = zones.size > 0;
    for (const zone of zones.values()) {
      let ready = 0;
      let notReady = 0;
      for (const name of zone.members) {
        if (readNode(name)?.metadata.labels?.['node.kubernetes.io/exclude-disruption'] !== undefined) continue;
        if (readyOf(name)?.status === 'True') ready++;
        else notReady++;
      }
      zone.state = zoneState(ready, notReady);
      if (zone.state !== 'FullDisruption') lost = false;
      zone.line.setInterval(taintInterval(zone.state, ready + notReady));
    }
    if (lost) {
      // Not one node answers: more likely the control plane is cut off than that all have failed. No evictions, and none begun goes on.
      for (const zone of zones.values()) zone.line.setInterval(Number.POSITIVE_INFINITY);
      if (!allLost) for (const name of healths.keys()) if (readyOf(name)) setExecuteTaint(name, undefined);
    } else if (allLost) {
      for (const [name, health] of healths) {
        health.probedAt = clock.now();
        arm(name);
        look(name);
      }
    }
    allLost = lost;
  }

  function place(node: Node): void {
    const { name } = node.metadata;
    const key = zoneKey(node);
    const before = zoneOfNode.get(name);
    if (before === key) return;
    if (before !== undefined) leave(name);
    zoneOfNode.set(name, key);
    let zone = zones.get(key);
    if (!zone) {
      const line = createTaintLine(clock, (each) => {
        const wanted = keyFor(each);
        if (wanted) setExecuteTaint(each, wanted);
      });
      zones.set(key, (zone = { members: new Set(), line, state: 'Normal' }));
    }
    zone.members.add(name);
  }

  function leave(name: string): void {
    const zone = zones.get(zoneOfNode.get(name) ?? '');
    zoneOfNode.delete(name);
    zone?.members.delete(name);
    zone?.line.remove(name);
    for (const [key, { members, line }] of zones) {
      if (members.size > 0) continue;
      line.stop();
      zones.delete(key);
    }
  }

  const taintQueue = createWorkQueue({
    clock,
    random: api.random,
    latency: options.latency,
    process: (name) => {
      api.modify(nodes, '', name, (node: Node) => withBetaLabels(withScheduleTaints(node, now())), manager);
    },
  });

  const stops = [
    api.watch(
      nodes,
      ({ type, object, previous }) => {
        const { name } = object.metadata;
        if (type === 'DELETED') {
          healths.get(name)?.cancel();
          healths.delete(name);
          leave(name);
          return;
        }
        place(object);
        const ready = conditionOf(object.status?.conditions, 'Ready');
        const health = healths.get(name);
        if (!health) {
          const created = ready ? clock.now() : Math.max(begun, Date.parse(object.metadata.creationTimestamp));
          healths.set(name, {
            probedAt: created,
            heartbeat: ready?.lastHeartbeatTime,
            renewed: undefined,
            alive: false,
            cancel() {},
          });
          takeLease(name);
          arm(name);
        } else if (ready && health.heartbeat !== ready.lastHeartbeatTime) {
          health.heartbeat = ready.lastHeartbeatTime;
          health.probedAt = clock.now();
        }
        if (
          previous?.status === object.status &&
          previous?.spec === object.spec &&
          previous.metadata.labels === object.metadata.labels
        )
          return;
        taintQueue.add(name);
        const before = conditionOf(previous?.status?.conditions, 'Ready')?.status;
        if (before !== ready?.status || !previous) look(name);
      },
      { replay: true },
    ),
    api.watch(leases, ({ type, object }) => {
      if (object.metadata.namespace === LEASES && type !== 'DELETED') takeLease(object.metadata.name);
    }),
  ];

  function takeLease(name: string): void {
    const health = healths.get(name);
    const lease = api.get(leases, LEASES, name);
    if (!health || !lease) return;
    const { renewTime } = lease.spec ?? {};
    if (renewTime !== undefined && renewTime !== health.renewed) {
      health.renewed = renewTime;
      health.probedAt = clock.now();
    }
    const alive = lease.metadata.annotations?.[ALIVE] !== undefined;
    if (alive === health.alive) return;
    health.alive = alive;
    arm(name);
  }

  return {
    name: 'node-lifecycle',
    stop() {
      for (const stop of stops) stop();
      taintQueue.stop();
      cancelLook?.();
      for (const { cancel } of healths.values()) cancel();
      for (const { line } of zones.values()) line.stop();
    },
  };
}
