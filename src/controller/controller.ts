/**
 * The controller: what it watches, who leads, and what is told to the outside. Policies and nodes are watched by every replica, so that
 * a follower takes over warm; only the leader runs the loop and writes.
 */
import { isDeepStrictEqual } from 'node:util';
import type { MaintenancePolicy, NodeMaintenance } from '../api/resources.ts';
import type { Node, Pod } from '../api/objects.ts';
import { validateMaintenance, validatePolicy } from './admit.ts';
import type { ClusterLimits } from '../engine/admission.ts';
import type { Decision } from '../engine/decide.ts';
import { readHandover } from '../engine/handover.ts';
import { isCommandLine, readJournal } from '../engine/journal.ts';
import { annotations, labels } from '../api/names.ts';
import type { KubeClient } from '../kube/client.ts';
import { electLeader } from '../kube/lease.ts';
import * as kinds from '../kube/kinds.ts';
import { reflect, type Reflector } from '../kube/reflector.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { compilePolicy, type Policy } from './compile.ts';
import { maintenanceKind, type Custom, policyKind } from './custom-kinds.ts';
import { createMatcher, type PolicyHold } from './matcher.ts';
import { createBreakers } from './gates/breakers.ts';
import { createGates, type Gates, type GatesOptions } from './gates/gates.ts';
import { markOf, sameMarks } from './gates/marks.ts';
import type { SendGateRequest } from './gates/send.ts';
import { createMaintenanceStore } from './maintenance-store.ts';
import { noticeChange } from './notice-change.ts';
import type { Observer } from './observer.ts';
import { createPolicyStatus } from './policy-status.ts';
import { createProgress } from './progress.ts';
import { createRunner, type Runner } from './runner.ts';

export interface ControllerOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Unique per replica. */
  readonly identity: string;
  readonly leaderElect: boolean;
  readonly leaseNamespace: string;
  /** Of the pods that reboot nodes, where a policy names none; default: as `leaseNamespace`. */
  readonly rebootNamespace?: string;
  readonly observer: Observer;
  /** How gates ask what is outside the cluster. TakenAsOpen: no gate holds anything back; for a rehearsal, which has no outside. */
  readonly askGates: SendGateRequest | 'TakenAsOpen';
  readonly limits: ClusterLimits;
  /** See `RunnerOptions`; for virtual time. */
  readonly restMs?: Millis;
}

export interface Controller {
  /** Resolves when every watch has been read once. @throws KubeError when the cluster has no Drover resources, or they may not be read. */
  readonly ready: Promise<void>;
  isLeader(): boolean;
  /** How many of each are known now. */
  watched(): { readonly nodes: number; readonly policies: number; readonly maintenances: number };
  /** The caches are read and their watches alive. */
  isHealthy(): boolean;
  lastPassAt(): Millis | null;
  /** Makes the loop look once although nothing changed: a sign of life. */
  tick(): void;
  /**
   * Starts nothing new, lets what is under way end, writes the statuses, gives the lease back.
   * @param last what else is to be done as the leader
   */
  stop(last?: () => Promise<void>): Promise<void>;
}

// The pods of a node and those that are handed over are two watches. While the second is behind, it shows marks that the first has seen go:
// an undo for them ends at once, and would begin anew in every pass.
const ADOPT_AGAIN_MS = 30_000;

const takesPods = (node: Node | undefined): 0 | 1 => (node && !node.unschedulable && node.ready ? 1 : 0);

/** A kubelet writes the status of its node every five minutes, or more often: mostly with nothing in it that is looked at here. */
function isBeat(known: Node | undefined, node: Node): boolean {
  return known !== undefined && isDeepStrictEqual({ ...known, resourceVersion: '' }, { ...node, resourceVersion: '' });
}

export function runController(options: ControllerOptions): Controller {
  const { client, clock, log, random, observer } = options;
  const nodes = new Map<string, Node>();
  let schedulable = 0;
  const policies = new Map<string, Policy>();
  const matcher = createMatcher(nodes);
  const progress = createProgress();
  let runner: Runner | undefined;
  let stopping = false;
  const mayAct = () => !stopping && leader.isLeader();
  const poke = () => runner?.poke();

  /** Nodes for which there may be new work: only these are looked at, not thousands in each pass. */
  const unreviewed = new Set<string>();
  const onNode = (nodeName: string) => void unreviewed.add(nodeName);
  const store = createMaintenanceStore({
    client,
    clock,
    log,
    progress,
    mayAct,
    onChange: poke,
    onNode,
    namespaces: { hooks: options.leaseNamespace, reboots: options.rebootNamespace ?? options.leaseNamespace },
    holds: (maintenance) => matcher.holds(maintenance, clock.now()),
  });
  const breakers = createBreakers((policy, breaker, isNews) => observer.breakerTurned?.(policy, breaker, isNews));
  const policyStatus = createPolicyStatus({ client, clock, log, mayAct, matcher, breaker: breakers.condition });
  /** What stands on a policy beside its spec. */
  const hold: PolicyHold = (policy) => {
    const source = policies.get(policy.name)?.source ?? policy.source;
    const failures = policy.breaker ? store.failures(policy.name) : [];
    return {
      breaker: breakers.turn(policy, source, failures, clock.now()),
      approval: markOf(source.metadata, annotations.approved),
    };
  };

  /** Most changes of a maintenance are its own status coming back to the leader that wrote it: nothing that a person wrote is read again. */
  const withNewStatus = (next: NodeMaintenance): NodeMaintenance | null => {
    const { uid, generation, name } = next.metadata;
    const known = mayAct() ? store.object(name) : undefined;
    if (!known || known.metadata.uid !== uid || known.metadata.generation !== generation) return null;
    return { ...next, spec: known.spec };
  };

  const common = { client, clock, log, random, failFast: true } as const;
  const onError = (what: string) => (error: Error) => {
    observer.watchRestarted(what);
    log.warn(`cannot watch ${what}: ${error.message}`);
  };
  const watches = {
    nodes: reflect<Node>({
      ...common,
      kind: kinds.nodes,
      consistency: 'Any',
      onError: onError('nodes'),
      onChange({ type, object }) {
        // Counted as they change: thousands of nodes would be counted in each pass.
        schedulable += (type === 'Deleted' ? 0 : takesPods(object)) - takesPods(nodes.get(object.name));
        if (type === 'Deleted') {
          nodes.delete(object.name);
          matcher.forget(object.name);
        } else {
          const beat = isBeat(nodes.get(object.name), object) && !store.of(object.name);
          nodes.set(object.name, object);
          if (beat) return matcher.renew();
          matcher.see(object, clock.now());
        }
        poke();
      },
    }),
    policies: reflect<Custom<MaintenancePolicy>>({
      ...common,
      kind: policyKind,
      consistency: 'Latest',
      onError: onError('maintenancepolicies'),
      onChange({ type, object }) {
        const parsed = type === 'Deleted' ? null : validatePolicy(object.object, log);
        // One that cannot be read, written under a newer CRD perhaps, leaves what was known of it in force: to drop it would undo its drains.
        if (parsed && !parsed.ok) {
          policyStatus.see(object.object, parsed.errors, policies.has(object.name));
          return poke();
        }
        const valid = parsed?.value;
        if (valid && valid.metadata.deletionTimestamp === undefined) {
          const policy = compilePolicy(valid);
          // A status write comes back as a change; the nodes need not be looked at again for it.
          const same =
            policies.get(policy.name)?.generation === policy.generation && policies.get(policy.name)?.uid === policy.uid;
          const marked = same && !sameMarks(policies.get(policy.name)?.source, valid);
          policies.set(policy.name, same ? { ...(policies.get(policy.name) ?? policy), source: valid } : policy);
          policyStatus.see(valid, [], true);
          if (marked) poke();
          if (same) return;
        } else {
          policies.delete(object.name);
          policyStatus.forget(object.name);
          breakers.forget(object.name);
        }
        matcher.setPolicies([...policies.values()]);
        poke();
      },
    }),
    maintenances: reflect<Custom<NodeMaintenance>>({
      ...common,
      kind: maintenanceKind,
      consistency: 'Latest',
      onError: onError('nodemaintenances'),
      onChange({ type, object }) {
        const valid = type === 'Deleted' ? null : (withNewStatus(object.object) ?? validateMaintenance(object.object, log));
        if (valid) store.see(valid);
        else if (type === 'Deleted') store.gone(object.name);
        poke();
      },
    }),
    // Normally none: pods whose label must be given back, wherever they are.
    handedOver: reflect<Pod>({
      ...common,
      kind: kinds.pods,
      labelSelector: labels.handedOver,
      consistency: 'Latest',
      onError: onError('pods that are handed over'),
      onChange: poke,
    }),
  };
  observer.watching?.({
    *policies() {
      for (const { source } of policies.values()) yield source;
    },
    *maintenances() {
      for (const { object } of watches.maintenances.items()) yield object;
    },
    maintenance: (name) => store.object(name),
  });
  const all: readonly Pick<Reflector<Node>, 'synced' | 'healthy' | 'stop'>[] = Object.values(watches);
  const ready = Promise.all(all.map((each) => each.synced)).then(() => {});

  const review = (nodeName: string, now: Millis) => {
    if (!store.reviewEnded(nodeName, (maintenance) => matcher.holds(maintenance, now))) unreviewed.add(nodeName);
    const node = nodes.get(nodeName);
    if (!node) return;
    const match = matcher.match(nodeName);
    const wanted = match && node.deletedAt === undefined && !match.policy.limits.paused && !store.of(nodeName);
    if (wanted && !store.isSpent(node, match.policy.name, match.notice)) store.create(nodeName, node.uid, match);
    const current = store.of(nodeName);
    const change = current && noticeChange(current, match);
    if (change) store.announce(current, change);
    if (current?.notice) matcher.holds(current, now); // the matcher learns when its answer will change
    const by = readJournal(node)?.by;
    if (by !== undefined && by !== '' && !isCommandLine(by) && store.of(nodeName)?.id !== by) store.adopt(by, nodeName);
  };

  const adoptedAt = new Map<string, Millis>(); // by uid of the pod
  /** Finds new work: nodes that a policy wants, and leftovers of maintenances that are no more. */
  const prepare = (now: Millis): Millis | null => {
    for (const nodeName of matcher.look(now)) unreviewed.add(nodeName);
    const due = [...unreviewed];
    unreviewed.clear();
    for (const nodeName of due) review(nodeName, now);
    let again = matcher.dueAt() ?? Number.POSITIVE_INFINITY;
    for (const [uid, at] of adoptedAt) if (Math.abs(now - at) >= ADOPT_AGAIN_MS) adoptedAt.delete(uid);
    const worked = new Set<string>(); // in a rotation with handover there are hundreds of these pods on a few nodes
    for (const pod of watches.handedOver.items()) {
      // One that terminates goes with its marks: to take it back would begin, and end at once, for as long as it is there.
      if (pod.deletedAt !== undefined || worked.has(pod.nodeName)) continue;
      const node = nodes.get(pod.nodeName);
      const by = readHandover(pod)?.by ?? '';
      if (node && store.of(node.name)) worked.add(node.name);
      else if (node && !isCommandLine(by)) {
        const last = adoptedAt.get(pod.uid);
        if (last !== undefined) {
          again = Math.min(again, last + ADOPT_AGAIN_MS);
          continue;
        }
        adoptedAt.set(pod.uid, now);
        store.adopt(by || `left-behind/${node.name}`, node.name);
      }
    }
    return Number.isFinite(again) ? again : null;
  };

  let gates: Gates | null = null;
  const openGates = (): Gates | null => {
    const { askGates, leaseNamespace: namespace } = options;
    if (askGates === 'TakenAsOpen') return null;
    const onAnswer: GatesOptions['onAnswer'] = (ask, result) => observer.gateAnswered?.(ask, result);
    return createGates({ client, clock, log, random, namespace, send: askGates, onChange: poke, onAnswer });
  };

  const lead = () => {
    log.info('leading');
    observer.leading(true);
    store.reset();
    breakers.reset();
    gates = openGates();
    for (const nodeName of nodes.keys()) unreviewed.add(nodeName);
    runner = createRunner({
      client,
      clock,
      log,
      random,
      consistency: 'Any',
      dryRun: false,
      store,
      nodes: () => nodes,
      schedulableNodes: () => schedulable,
      policies: () => matcher.admission(store, hold),
      limits: options.limits,
      gates,
      holds: (maintenance) => matcher.holds(maintenance, clock.now()),
      mayAct,
      ...(options.restMs !== undefined && { restMs: options.restMs }),
      prepare,
      onPass(decisions: readonly Decision[], now, tookMs) {
        observer.passed(decisions, nodes, now, tookMs);
        policyStatus.update(decisions, now);
      },
      onPodGone(nodeName, pod, now) {
        const maintenance = store.of(nodeName);
        if (maintenance) progress.left(maintenance.id, pod, now);
      },
      onAnswer(maintenance, effect, answer, message) {
        if (answer === 'Done') store.noteDone(maintenance, effect, clock.now());
        observer.answered(maintenance, effect, answer, message, clock.now());
      },
    });
  };
  const follow = async () => {
    if (!stopping) log.info('not leading any more: this process only watches');
    observer.leading(false);
    const last = runner;
    runner = undefined;
    gates?.stop();
    await last?.stop();
  };

  const leader = options.leaderElect
    ? electLeader({
        client,
        clock,
        log,
        random,
        namespace: options.leaseNamespace,
        name: 'drover-controller',
        identity: options.identity,
        onGained: () =>
          void ready.then(
            () => leader.isLeader() && !runner && lead(),
            () => {},
          ), // whoever awaits `ready` hears of it
        onLost: () => void follow(),
      })
    : { isLeader: () => true, stop: async () => {}, term: () => 0 };
  if (!options.leaderElect) void ready.then(lead, () => {});

  return {
    ready,
    isLeader: () => leader.isLeader(),
    watched: () => ({ nodes: nodes.size, policies: policies.size, maintenances: watches.maintenances.size }),
    isHealthy: () => all.every((each) => each.healthy(clock.now())) && (runner?.caches.healthy(clock.now()) ?? true),
    lastPassAt: () => runner?.lastPassAt ?? null,
    tick: poke,
    async stop(last) {
      await runner?.stop();
      gates?.stop();
      await Promise.all([store.flush(), last?.()]);
      stopping = true;
      await Promise.all(all.map((each) => each.stop()));
      policyStatus.stop();
      observer.leading(false);
      await leader.stop();
    },
  };
}
