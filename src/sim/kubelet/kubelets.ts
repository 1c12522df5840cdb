/** The kubelets of all nodes: one part, driven by events and timers, never by looking at every pod. */
import type { Millis } from '../../lib/clock.ts';
import type { Api, Latency, Part } from '../apiserver/api.ts';
import { nodes, pods } from '../apiserver/kinds.ts';
import { conditionOf, isNodeReady, isPodFinished } from '../conditions.ts';
import type { Condition, Node, Pod } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';
import { type Attachments, createAttachments } from './attachments.ts';
import { createHeartbeats } from './heartbeats.ts';
import type { Host, Power } from './host.ts';
import { isMirror, recreateMirror } from './mirror-pods.ts';
import { described, heartbeat, internalIp, labelled, notReady, READY } from './node-status.ts';
import { createPodStop } from './pod-stop.ts';
import { createPodWorker } from './pod-worker.ts';
import { createPodWriter, placed } from './pod-writer.ts';
import { commandsReboot } from './reboot-command.ts';
import { createTimers } from './timers.ts';
import { annotated, annotatedStep, draw, type Step, type Steps, usualSteps } from './timing.ts';

export interface KubeletOptions {
  /** Default: `usualSteps`. Annotations sim.drover.dev/{pull,start,ready,stop} on a pod, then on its node, go before it. */
  readonly steps?: Partial<Steps>;
  /** For one pod; undefined: `steps`. The annotations go before it. */
  readonly stepOf?: (step: Step, pod: Pod) => Latency | undefined;
  /** From the binding of a pod until it is Ready, where that is known as a whole: in place of pull, start, init, ready and its probes. */
  readonly readyAfter?: (pod: Pod) => Latency | undefined;
  /** From seeing a pod change to acting on it. Default 0. */
  readonly latency?: Latency;
  /** Renew Leases every 10 s and report the Node's status every 5 min. Default true; false for long virtual runs. */
  readonly heartbeats?: boolean;
  /** Containers wait for the VolumeAttachments of their volumes: only where somebody attaches. Default false. */
  readonly waitForAttachments?: boolean;
  /** From going down to being ready again. Default 30 to 60 s. */
  readonly reboot?: Latency;
  /** Whether a pod, once started, reboots its node. Default: `commandsReboot`. */
  readonly rebootsNode?: (pod: Pod) => boolean;
}

export interface Kubelets extends Part {
  /** Undefined: no such node. */
  powerOf(node: string): Power | undefined;
  /** The kubelet hangs or is cut off; its containers run on. Ends with `startNode`. */
  silence(node: string): void;
  /** The machine is gone from one instant to the next. */
  stopNode(node: string): void;
  /** Back after `silence` (same boot id, same containers) or `stopNode` (another boot id, every container once more). */
  startNode(node: string): void;
  /** `stopNode` and, after `downFor` (default: the option), `startNode`. */
  reboot(node: string, downFor?: Millis): void;
  /** A graceful shutdown: pods end as Failed within `grace` each (default: their own), then the machine is off. */
  shutdown(node: string, grace?: Millis): void;
  /** Everything on the node takes this many times as long; 1 is normal. */
  slow(node: string, times: number): void;
}

const SHUTDOWN = { reason: 'Terminated', message: 'Pod was terminated in response to imminent node shutdown.' };
const REJECTED = { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' };
const SYNC_MS: Millis = 10_000;
const status = { subresource: 'status', fieldManager: 'kubelet' } as const;

export function startKubelets(api: Api, options: KubeletOptions = {}): Kubelets {
  const { clock, random } = api;
  const steps: Steps = { ...usualSteps, ...options.steps };
  const hosts = new Map<string, Host>();
  const podTimers = createTimers(clock);
  const nodeTimers = createTimers(clock);
  const writer = createPodWriter(api);
  const beats = createHeartbeats(api, nodeTimers, options.heartbeats ?? true);
  const attachments: Attachments | undefined = options.waitForAttachments ? createAttachments(api) : undefined;
  const rebootsNode = options.rebootsNode ?? commandsReboot;
  let addresses = 0;
  let machines = 0;
  let containers = 0;
  let replaying = true;

  const latency = ({ slowness }: Host) => (options.latency ? draw(options.latency, random) * slowness : 0);
  const duration = (step: Step, pod: Pod, host: Host) => {
    const said = annotatedStep(pod, step) ?? annotatedStep(api.get(nodes, '', host.name), step) ?? options.stepOf?.(step, pod);
    return draw(said ?? steps[step], random) * host.slowness;
  };
  const readyAfter = (pod: Pod, host: Host) => {
    const known = options.readyAfter?.(pod);
    return known && draw(known, random) * host.slowness;
  };
  const stopper = createPodStop({ api, clock, timers: podTimers, writer, duration, latency });
  const worker = createPodWorker({
    clock,
    timers: podTimers,
    writer,
    duration,
    readyAfter,
    latency,
    newContainerId: () => `containerd://${(++containers).toString(16).padStart(64, '0')}`,
    newPodIp: () => address(10, 64, ++addresses),
    whenAttached: (pod, host, go) => (attachments ? attachments.whenAttached(pod, host, go) : go()),
    onStarted: (pod, host) => {
      if (rebootsNode(pod)) nodeTimers.after(host.name, 0, () => reboot(host.name));
    },
    end: (at, ended) => {
      const pod = writer.read(at);
      if (pod) stopper.stop(at, pod, { ended });
    },
  });

  const hex = (digits: number) => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  const newBootId = () => [8, 4, 4, 4, 12].map(hex).join('-');
  const podsOf = (node: string) => api.list(pods, { fields: { 'spec.nodeName': node } });

  function writeNode(host: Host, ready: Condition): void {
    const now = timestamp(clock.now());
    api.modify(nodes, '', host.name, labelled, { fieldManager: 'kubelet' });
    api.modify(nodes, '', host.name, (node: Node) => heartbeat(described(node, host), ready, now), status);
  }

  function appear(node: Node): void {
    const { name } = node.metadata;
    const ready = conditionOf(node.status?.conditions, 'Ready');
    // A node that was met dead, in a snapshot, stays dead. One that nobody has reported for yet boots.
    const dead = ready !== undefined && ready.status !== 'True' && ready.lastHeartbeatTime !== undefined;
    const host: Host = {
      name,
      ip: internalIp(node) ?? address(192, 168, ++machines),
      power: dead ? 'off' : 'up',
      slowness: 1,
      bootId: node.status?.nodeInfo?.['bootID'] || newBootId(),
      images: new Map(),
      pullsDoneAt: 0,
    };
    hosts.set(name, host);
    if (dead) return;
    if (ready?.status === 'True' && node.status?.nodeInfo?.['bootID']) {
      nodeTimers.after(name, 0, () => beats.begin(host));
    } else {
      host.power = 'off';
      const boot = annotated(node, 'boot') ?? 0;
      if (boot !== Number.POSITIVE_INFINITY) nodeTimers.after(name, boot, () => powerUp(host, false));
    }
    if (!replaying) for (const pod of podsOf(name)) meet(pod);
  }

  function vanish(name: string): void {
    const host = hosts.get(name);
    if (!host) return;
    // The kubelet of a Node object that is gone does nothing any more that anybody could see; PodGC clears up after it.
    hosts.delete(name);
    nodeTimers.cancel(name);
    beats.forget(host);
    for (const pod of podsOf(name)) drop(pod.metadata.uid);
  }

  function drop(uid: string): void {
    podTimers.cancel(uid);
    stopper.forget(uid);
    worker.forget(uid);
    attachments?.forget(uid);
  }

  /** A pod that is on the host already, when the kubelet starts to look after it. */
  function meet(pod: Pod): void {
    const host = hosts.get(pod.spec.nodeName ?? '');
    if (host?.power !== 'up' || isPodFinished(pod)) return;
    if (pod.metadata.deletionTimestamp !== undefined) stopper.stop(placed(pod, host), pod);
    else worker.adopt(placed(pod, host), pod);
  }

  function powerUp(host: Host, containersLost: boolean): void {
    host.power = 'up';
    writeNode(host, READY);
    beats.begin(host);
    for (const pod of podsOf(host.name)) {
      if (isPodFinished(pod)) continue;
      if (!containersLost) meet(pod);
      else if (pod.metadata.deletionTimestamp !== undefined) stopper.bury(placed(pod, host));
      else worker.revive(placed(pod, host));
    }
  }

  function powerDown(name: string, power: 'off' | 'silent'): void {
    const host = hosts.get(name);
    if (!host || host.power === 'off') return;
    host.power = power;
    beats.end(host);
    for (const pod of podsOf(name)) drop(pod.metadata.uid);
  }

  function startNode(name: string): void {
    const host = hosts.get(name);
    if (!host || host.power === 'up' || host.power === 'leaving') return;
    const lost = host.power === 'off';
    if (lost) host.bootId = newBootId();
    nodeTimers.cancel(name);
    powerUp(host, lost);
  }

  function reboot(name: string, downFor = draw(options.reboot ?? { least: 30_000, spread: 30_000 }, random)): void {
    const host = hosts.get(name);
    if (!host) return;
    powerDown(name, 'off');
    nodeTimers.after(name, downFor * host.slowness, () => startNode(name));
  }

  function shutdown(name: string, grace?: Millis): void {
    const host = hosts.get(name);
    if (host?.power !== 'up') return;
    const live = podsOf(name).filter((pod) => !isPodFinished(pod));
    host.power = 'leaving';
    writeNode(host, notReady('node is shutting down'));
    let left = live.length;
    const done = () => {
      if (--left <= 0) powerDown(name, 'off');
    };
    if (left === 0) return done();
    for (const pod of live)
      stopper.stop(placed(pod, host), pod, { ended: SHUTDOWN, done, ...(grace !== undefined && { grace }) });
  }

  function onPod(pod: Pod, previous: Pod | undefined): void {
    const host = hosts.get(pod.spec.nodeName ?? '');
    if (!host || (host.power !== 'up' && host.power !== 'leaving')) return;
    const { uid, deletionTimestamp, deletionGracePeriodSeconds, generation } = pod.metadata;
    if (isPodFinished(pod)) return;
    const at = placed(pod, host);
    if (deletionTimestamp !== undefined) {
      if (isMirror(pod)) return podTimers.after(uid, latency(host), () => recreateMirror(api, pod));
      if (!stopper.isStopping(uid) || previous?.metadata.deletionGracePeriodSeconds !== deletionGracePeriodSeconds) {
        worker.forget(uid);
        attachments?.forget(uid);
        stopper.stop(at, pod);
      }
      return;
    }
    if (!previous || previous.spec.nodeName !== pod.spec.nodeName) {
      if (host.power === 'up') return previous ? worker.begin(at) : worker.adopt(at, pod);
      return podTimers.after(uid, latency(host), () => {
        writer.write(at, () => ({ over: true, ended: REJECTED }));
      });
    }
    if (!pod.status?.containerStatuses) return;
    const again = (delay: Millis) => podTimers.after(uid, delay, () => void writer.write(at, () => ({})));
    if (previous.metadata.generation !== generation) return again(latency(host));
    if (previous.status?.conditions === pod.status.conditions) return;
    if (pod.spec.readinessGates?.length) return again(latency(host));
    const ready = conditionOf(pod.status.conditions, 'Ready')?.status;
    // Somebody else wrote what is the kubelet's: it compares every ten seconds (status_manager.go, syncPeriod).
    if (ready !== conditionOf(pod.status.conditions, 'ContainersReady')?.status) again(SYNC_MS);
  }

  const stops = [
    api.watch(
      nodes,
      ({ type, object }) => {
        const host = hosts.get(object.metadata.name);
        if (type === 'DELETED') vanish(object.metadata.name);
        else if (!host) appear(object);
        else if (host.power === 'up' && conditionOf(object.status?.conditions, 'Ready') && !isNodeReady(object))
          // Somebody else says that it is not ready; a kubelet finds that out with its next look and puts it right.
          nodeTimers.after(host.name, SYNC_MS, () => {
            if (host.power === 'up' && hosts.get(host.name) === host) writeNode(host, READY);
          });
      },
      { replay: true },
    ),
    api.watch(
      pods,
      ({ type, object, previous }) => {
        if (type !== 'DELETED') return onPod(object, previous);
        const host = hosts.get(object.spec.nodeName ?? '');
        drop(object.metadata.uid);
        if (host?.power === 'up' && isMirror(object) && !isPodFinished(object))
          nodeTimers.after(host.name, latency(host), () => recreateMirror(api, object));
      },
      { replay: true },
    ),
  ];
  replaying = false;

  return {
    name: 'kubelets',
    powerOf: (node) => hosts.get(node)?.power,
    silence: (node) => powerDown(node, 'silent'),
    stopNode(node) {
      nodeTimers.cancel(node);
      powerDown(node, 'off');
    },
    startNode,
    reboot,
    shutdown,
    slow(node, times) {
      const host = hosts.get(node);
      if (host) host.slowness = times;
    },
    stop() {
      for (const stop of stops) stop();
      attachments?.stop();
      podTimers.stop();
      nodeTimers.stop();
    },
  };
}

/** The n-th address of a /8 or /16, beyond its first. */
function address(first: number, second: number, n: number): string {
  return first === 10
    ? `10.${(second + (n >> 16)) & 255}.${(n >> 8) & 255}.${n & 255}`
    : `${first}.${second}.${(n >> 8) & 255}.${n & 255}`;
}
