/** A pod's life on its node up to its deletion: images, sandbox, init containers, containers, probes, crashes and restarts. */
import type { Clock, Millis } from '../../lib/clock.ts';
import { isPodReady } from '../conditions.ts';
import type { ContainerStatus, Pod } from '../kubernetes.ts';
import { timestamp } from '../timestamp.ts';
import { backingOff, exited, isRunning, mapStatuses, started } from './container-status.ts';
import { type Host, imagesOf, pull } from './host.ts';
import { isSidecar } from './phase.ts';
import { creatingStatuses, waitingStatus } from './pod-status.ts';
import type { Placed, PodWriter } from './pod-writer.ts';
import { type Readiness, readinessOf } from './readiness.ts';
import type { Timers } from './timers.ts';
import { annotated, annotatedStep, type Step } from './timing.ts';

// kubelet.go: containerBackOffPeriod, MaxContainerBackOff; a container that held out for twice the latter starts over.
const FIRST_BACK_OFF: Millis = 10_000;
const LAST_BACK_OFF: Millis = 300_000;

export interface PodWorkerOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly writer: PodWriter;
  /** Of one step of this pod on its host. */
  readonly duration: (step: Step, pod: Pod, host: Host) => Millis;
  /** From the binding until Ready where that is known as a whole; undefined: from the steps and the probes. */
  readonly readyAfter: (pod: Pod, host: Host) => Millis | undefined;
  /** From seeing a change to acting on it. */
  readonly latency: (host: Host) => Millis;
  readonly newContainerId: () => string;
  readonly newPodIp: () => string;
  /** Calls `go` when the pod's volumes are attached to the host. */
  readonly whenAttached: (pod: Pod, host: Host, go: () => void) => void;
  /** After the pod's containers have started. */
  readonly onStarted: (pod: Pod, host: Host) => void;
  /** Ends the pod for good without deleting it. */
  readonly end: (at: Placed, why: { readonly reason: string; readonly message: string }) => void;
}

export interface PodWorker {
  /** A pod that has come to the host, with nothing of it there yet. */
  begin(at: Placed): void;
  /** A pod found on the host at the start: goes on from what its status says. */
  adopt(at: Placed, pod: Pod): void;
  /** After a reboot: a new sandbox, and every container once more. */
  revive(at: Placed): void;
  forget(uid: string): void;
}

/** One run of a container; `containerID` is undefined for one found running without one. */
interface Run {
  readonly containerID: string | undefined;
  readonly probes: Readiness;
}

type Runs = ReadonlyMap<string, Run>;

const readyAt = (after: Millis): Readiness => ({ ready: true, startedAfter: 0, readyAfter: after });

function isSameRun(status: ContainerStatus, run: Run): boolean {
  return isRunning(status) && status.containerID === run.containerID;
}

interface BackOff {
  wait: Millis;
  since: Millis;
}

export function createPodWorker(options: PodWorkerOptions): PodWorker {
  const { clock, timers, writer, duration, readyAfter } = options;
  const backOffs = new Map<string, Map<string, BackOff>>();
  const now = () => timestamp(clock.now());

  /** Carries on with the pod as it is then, unless it is gone. */
  function then(at: Placed, delay: Millis, next: (pod: Pod) => void): void {
    if (delay === Number.POSITIVE_INFINITY) return;
    timers.after(at.uid, delay, () => {
      const pod = writer.read(at);
      if (pod) next(pod);
    });
  }

  function begin(at: Placed): void {
    then(at, options.latency(at.host), () => {
      const pod = writer.write(at, (_, { spec }) => ({
        ...creatingStatuses(spec),
        sandbox: false,
        podIP: spec.hostNetwork ? at.host.ip : undefined,
      }));
      if (!pod) return;
      const deadline = pod.spec.activeDeadlineSeconds;
      if (deadline !== undefined)
        then(at, deadline * 1000, () =>
          options.end(at, {
            reason: 'DeadlineExceeded',
            message: 'Pod was active on the node longer than the specified deadline',
          }),
        );
      options.whenAttached(pod, at.host, () => prepare(at, pod));
    });
  }

  function prepare(at: Placed, pod: Pod): void {
    const whole = readyAfter(pod, at.host);
    if (whole !== undefined) return then(at, whole, () => runInit(at, 0));
    const start = duration('start', pod, at.host);
    const waitForImages = pull(at.host, pod, clock.now(), () => duration('pull', pod, at.host));
    // With the images there a real kubelet sees sandbox and containers in one relist, and writes them as one.
    if (waitForImages === 0 && !pod.spec.initContainers?.length) return then(at, start, () => runContainers(at));
    then(at, start / 2, () => {
      openSandbox(at);
      if (waitForImages === Number.POSITIVE_INFINITY) return then(at, FIRST_BACK_OFF, () => lackImage(at));
      then(at, Math.max(0, waitForImages - start / 2) + start / 2, () => runInit(at, 0));
    });
  }

  function openSandbox(at: Placed): void {
    writer.write(at, (_, { spec }) => ({ sandbox: true, podIP: spec.hostNetwork ? at.host.ip : options.newPodIp() }));
  }

  function lackImage(at: Placed): void {
    writer.write(at, (status) => ({
      containerStatuses: (status.containerStatuses ?? []).map((each) => ({
        ...each,
        state: { waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${each.image ?? ''}"` } },
      })),
    }));
  }

  function runInit(at: Placed, index: number): void {
    const pod = writer.read(at);
    const container = pod?.spec.initContainers?.[index];
    if (!pod || !container) return runContainers(at);
    const change = (to: (status: ContainerStatus) => ContainerStatus) =>
      writer.write(at, ({ initContainerStatuses = [] }) => ({
        initContainerStatuses: mapStatuses(initContainerStatuses, (each) => (each.name === container.name ? to(each) : each)),
      }));
    const sidecar = isSidecar(container);
    const run = { containerID: options.newContainerId(), started: sidecar, ready: sidecar };
    change((status) => started(status, now(), run));
    if (sidecar) return then(at, 0, () => runInit(at, index + 1));
    const whole = readyAfter(pod, at.host);
    then(at, whole === undefined ? (annotated(pod, 'init') ?? duration('start', pod, at.host)) : 0, () => {
      change((status) => ({ ...exited(status, 0, now()), ready: true }));
      runInit(at, index + 1);
    });
  }

  /** Starts all containers, or the one that is to be restarted. */
  function runContainers(at: Placed, only?: string): void {
    const pod = writer.read(at);
    if (!pod) return;
    const containers = pod.spec.containers.filter(({ name }) => only === undefined || name === only);
    const probed = pod.spec.containers.some(({ readinessProbe, startupProbe }) => readinessProbe ?? startupProbe);
    // Without probes nobody asks whether it answers: ready at once, unless the annotation says that it is to be shown.
    const able = annotatedStep(pod, 'ready') === undefined && !probed ? 0 : duration('ready', pod, at.host);
    const whole = only === undefined ? readyAfter(pod, at.host) : undefined;
    const again = only === undefined && (pod.spec.restartPolicy ?? 'Always') !== 'Always';
    const runs = new Map<string, Run & { readonly containerID: string }>();
    for (const container of containers) {
      const probes = whole === undefined ? readinessOf(container, able) : readyAt(0);
      runs.set(container.name, { containerID: options.newContainerId(), probes });
    }
    const begun = writer.write(at, (status, { spec }) => ({
      sandbox: true,
      podIP: status.podIP ?? (spec.hostNetwork ? at.host.ip : options.newPodIp()),
      containerStatuses: mapStatuses(status.containerStatuses ?? [], (each) => {
        const run = runs.get(each.name);
        if (!run || isRunning(each) || (again && each.state?.terminated?.exitCode === 0)) return each;
        const { containerID, probes } = run;
        const passed = { started: probes.ready && probes.startedAfter === 0, ready: probes.ready && probes.readyAfter === 0 };
        return started(each, now(), { containerID, ...passed });
      }),
    }));
    if (!begun) return;
    watchProbes(at, runs, 0);
    planExits(at, begun, runs, 0);
    options.onStarted(begun, at.host);
  }

  /** `elapsed`: since the containers' start. A timer of a run that is over finds another container, or none, and does nothing. */
  function watchProbes(at: Placed, runs: Runs, elapsed: Millis): void {
    const instants = new Set<Millis>();
    for (const [name, { probes }] of runs) {
      if (probes.ready) instants.add(probes.startedAfter).add(probes.readyAfter);
      else then(at, Math.max(0, probes.killedAfter - elapsed), () => leave(at, runs, [name], 137));
    }
    for (const instant of instants) {
      if (instant === 0 && elapsed === 0) continue;
      then(at, Math.max(0, instant - elapsed), () => {
        writer.write(at, ({ containerStatuses = [] }) => ({
          containerStatuses: mapStatuses(containerStatuses, (each) => {
            const run = runs.get(each.name);
            if (!run?.probes.ready || !isSameRun(each, run) || run.probes.startedAfter > instant) return each;
            const ready = run.probes.readyAfter <= instant;
            return each.started && each.ready === ready ? each : { ...each, started: true, ready };
          }),
        }));
      });
    }
  }

  function planExits(at: Placed, pod: Pod, runs: Runs, elapsed: Millis): void {
    const first = pod.spec.containers[0]?.name;
    const crash = annotated(pod, 'crash-after');
    const run = annotated(pod, 'run-for');
    if (crash !== undefined && first !== undefined && runs.has(first))
      then(at, Math.max(0, crash - elapsed), () => leave(at, runs, [first], 1));
    if (run !== undefined) then(at, Math.max(0, run - elapsed), () => leave(at, runs, [...runs.keys()], 0));
  }

  function leave(at: Placed, runs: Runs, names: readonly string[], exitCode: number): void {
    const left: string[] = [];
    const pod = writer.write(at, ({ containerStatuses = [] }) => ({
      containerStatuses: mapStatuses(containerStatuses, (each) => {
        const run = runs.get(each.name);
        if (!run || !names.includes(each.name) || !isSameRun(each, run)) return each;
        left.push(each.name);
        return exited(each, exitCode, now());
      }),
    }));
    if (!pod) return;
    const policy = pod.spec.restartPolicy ?? 'Always';
    if (policy === 'Never' || (policy === 'OnFailure' && exitCode === 0)) return;
    for (const name of left) restart(at, pod, name);
  }

  function restart(at: Placed, pod: Pod, name: string): void {
    let own = backOffs.get(at.uid);
    if (!own) backOffs.set(at.uid, (own = new Map()));
    const backOff = own.get(name);
    const again = () => then(at, duration('start', pod, at.host), () => runContainers(at, name));
    if (!backOff || clock.now() - backOff.since > 2 * LAST_BACK_OFF) {
      // The first crash is followed by a restart at once.
      own.set(name, { wait: FIRST_BACK_OFF, since: clock.now() });
      return again();
    }
    const { wait } = backOff;
    backOff.wait = Math.min(2 * wait, LAST_BACK_OFF);
    backOff.since = clock.now() + wait;
    const message = `back-off ${wait / 1000}s restarting failed container=${name} pod=${at.name}_${at.namespace}(${at.uid})`;
    writer.write(at, ({ containerStatuses = [] }) => ({
      containerStatuses: mapStatuses(containerStatuses, (each) => (each.name === name ? backingOff(each, message) : each)),
    }));
    then(at, wait, again);
  }

  function adopt(at: Placed, pod: Pod): void {
    const { containerStatuses } = pod.status ?? {};
    if (!containerStatuses?.some((each) => isRunning(each) || each.lastState?.terminated)) {
      if (containerStatuses?.every(({ state }) => fresh(state?.waiting?.reason)) !== false) begin(at);
      return;
    }
    for (const image of imagesOf(pod)) at.host.images.set(image, clock.now());
    const running = containerStatuses.filter(isRunning);
    if (running.length === 0) return;
    const settled = running.every(({ ready }) => ready);
    // Marked not ready while the kubelet was away: the node lifecycle controller only touches the condition, not the containers.
    if (settled && !isPodReady(pod)) writeAgain(at);
    if (settled && annotated(pod, 'crash-after') === undefined && annotated(pod, 'run-for') === undefined) return;
    const startedAt = Math.max(...running.map(({ state }) => Date.parse(state?.running?.startedAt ?? '') || 0));
    const elapsed = Math.max(0, clock.now() - startedAt);
    const runs = new Map<string, Run>();
    const whole = readyAfter(pod, at.host);
    const able = whole ?? duration('ready', pod, at.host);
    for (const each of pod.spec.containers) {
      const status = running.find(({ name }) => name === each.name);
      const probes = whole === undefined ? readinessOf(each, able) : readyAt(able);
      if (status) runs.set(each.name, { containerID: status.containerID, probes });
    }
    // What has not become ready in this long is taken to be broken, and stays as it was found.
    if (!settled && elapsed < 2 * LAST_BACK_OFF) watchProbes(at, runs, Math.max(1, elapsed));
    planExits(at, pod, runs, elapsed);
  }

  function writeAgain(at: Placed): void {
    then(at, options.latency(at.host), () => void writer.write(at, () => ({})));
  }

  function revive(at: Placed): void {
    const lost = (status: ContainerStatus) => (isRunning(status) ? exited(status, 255, now(), 'Unknown') : status);
    const pod = writer.write(at, ({ containerStatuses = [], initContainerStatuses }) => ({
      sandbox: false,
      containerStatuses: mapStatuses(containerStatuses, lost),
      initContainerStatuses: initContainerStatuses && mapStatuses(initContainerStatuses, lost),
    }));
    if (!pod) return;
    if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return;
    if (!pod.status?.containerStatuses?.length) return begin(at);
    then(at, options.latency(at.host) + duration('start', pod, at.host), () => {
      openSandbox(at);
      writer.write(at, ({ initContainerStatuses }, { spec }) => ({
        initContainerStatuses: initContainerStatuses?.map((each, index) => {
          const container = spec.initContainers?.[index];
          return container ? { ...waitingStatus(container, 'PodInitializing'), restartCount: each.restartCount } : each;
        }),
      }));
      runInit(at, 0);
    });
  }

  return { begin, adopt, revive, forget: (uid) => void backOffs.delete(uid) };
}

function fresh(reason: string | undefined): boolean {
  return reason === undefined || reason === 'ContainerCreating' || reason === 'PodInitializing';
}
